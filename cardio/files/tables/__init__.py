"""Code tables of card items, Chinese and English (SSC §4.8, EW §2)."""
