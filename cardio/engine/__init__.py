"""Debit, settle, recover: each needs a reader, a product, keys and a ledger."""
