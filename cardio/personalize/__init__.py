"""A person and a product in, a finished card out; and the issuer's keys that it takes."""
