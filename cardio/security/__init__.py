"""Where keys live; one interface for all of it. Keys never leave this package."""
