"""`cardio manual`: the manual of cards, written from the declarations alone."""
