"""A visitor's pages, a module for each thing that a visitor does."""
