"""Teleconsult: paid asynchronous dermatology. Nothing is imported here, so that the launcher stays stdlib-only."""
