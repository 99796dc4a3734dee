"""Lookalike measured beside what people use today: `make benchmark` runs all of it."""
