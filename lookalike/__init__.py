"""Lookalike: upload a photo, see the celebrities who look most like it."""

__version__ = "1.0.0"
