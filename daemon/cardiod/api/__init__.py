"""The HTTP interface: routes, schemas, problem documents, callers."""
