"""The whole product in a real browser: compiled pages, sandbox, embedded PostgreSQL, worker."""
