"""The pages: Reflex states and components."""
