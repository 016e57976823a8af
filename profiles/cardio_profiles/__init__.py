"""Card products that come with cardio; one TOML file each, no code."""
