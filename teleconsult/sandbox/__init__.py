"""A local Stripe for development and tests. It imports nothing of teleconsult."""
