"""Reads, debits, loads and personalizes Chinese citizen cards and social security cards."""
