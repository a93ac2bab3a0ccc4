"""The interface kit: small parts on rx.el and Tailwind."""
