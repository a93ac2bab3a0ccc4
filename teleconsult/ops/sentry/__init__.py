"""`teleconsult sentry …`: what Sentry must do for us, kept as code."""
