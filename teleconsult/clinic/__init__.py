"""The dermatologist's work: queue, claim, answer."""
