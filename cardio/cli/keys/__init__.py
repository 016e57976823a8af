"""`cardio keys`: the issuer's keys in a keyring file, and how they get in and out of it."""
