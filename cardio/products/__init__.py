"""Card products as data: the model, its loader, detection, and reading a card group by group."""
