"""A patient’s own consultations: the list and each one of them."""
