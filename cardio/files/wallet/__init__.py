"""Files of citizen wallets and transit cards (EW §2)."""
