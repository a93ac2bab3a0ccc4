"""The consultation: its fields, photos, life cycle and stored truth."""
