"""Declarations of card files: fields, records, access rights; they decode, encode, mask and document."""
