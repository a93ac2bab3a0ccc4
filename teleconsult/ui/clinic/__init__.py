"""The dermatologist's pages: the queue and the review of a case."""
