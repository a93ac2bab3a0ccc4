"""Money: checkout, settlement, webhook, portal."""
