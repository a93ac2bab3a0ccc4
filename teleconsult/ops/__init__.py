"""Running the product: command line, start-up, demo people, checks."""
