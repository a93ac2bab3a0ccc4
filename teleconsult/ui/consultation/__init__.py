"""The consultation form: four steps, the stop screen, payment, and the way back after discarding."""
