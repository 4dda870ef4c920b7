"""A row's store and key as one value, with an index: whoever may see some stores finds a row of theirs, and touches no other."""

from sqlalchemy import Index, text


def place_of(table: str, key: str) -> str:
    """Return the expression; no key has a slash, so that two rows never have the same. The index is taken for these very words."""
    return f"{table}.store || '/' || {table}.{key}"


def placed(table: str, key: str) -> Index:
    """Return the index of it."""
    return Index(f"ix_{table}_placed", text(f"(store || '/' || {key})"))
