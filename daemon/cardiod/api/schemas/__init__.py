"""Shapes of the API's documents: what callers send, and what they get."""
