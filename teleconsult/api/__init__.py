"""HTTP routes beside the pages, and the gate every request passes."""
