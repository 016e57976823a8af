"""Files of version 1.0 of the social security card (SSC §3.2, §4.10)."""
