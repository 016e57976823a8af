"""Drivers of card operating systems."""
