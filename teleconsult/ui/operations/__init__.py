"""The operators' pages: what needs a person, and the story of a payment. Never who the patient is, nor why they ask."""
