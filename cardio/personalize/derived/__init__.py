"""The layout of any card product, from its declarations alone."""
