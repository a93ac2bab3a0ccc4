"""One module for each family of Stripe's operations; each has its `OPERATIONS` by method and address."""
