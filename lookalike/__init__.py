"""Lookalike: upload a photo, see the celebrities who look most like it."""
