"""Pages of the consultation form."""
