"""The forms of a voucher: JSON, text, ESC/POS, HTML and PDF, all made from its rows (OPS §4.12)."""
