"""Money is never lost, doubled or stuck: what shows it, over the real services, processes and database."""
