"""`teleconsult stripe …`: set up and check our corner of the Stripe account, repair, and explain."""
