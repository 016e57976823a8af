"""The terminal service: cards over HTTP for cashier software, gates and docks."""
