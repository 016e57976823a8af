"""Files of the social security card (SSC §3, §4)."""
