"""The `cardio` command."""
