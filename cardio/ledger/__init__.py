"""The journal: requests, transactions, open questions, hash chain, vouchers, in one SQLite file."""
