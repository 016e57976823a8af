"""Groups of `cardiod` commands."""
