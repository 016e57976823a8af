"""Lines that the run prints at its end, written by the tests that count something."""

SUMMARY: dict[str, str] = {}
"""What was counted, and the line."""
