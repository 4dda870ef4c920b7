"""What all tables are made of: one catalogue, names for constraints, keys that sort alike, partial indices."""

from typing import Any

from sqlalchemy import MetaData, Text, text

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

Key = Text().with_variant(Text(collation="C"), "postgresql")
"""Ids and names: PostgreSQL sorts and compares them byte by byte, as SQLite and Python do, whatever its locale."""

LAST = "\U0010ffff"
"""Sorts behind every character of a name, in UTF-8 as well."""


def where(condition: str, sqlite: str = "") -> dict[str, Any]:
    """Return the arguments that make an index partial on both databases; ``sqlite`` where it writes it differently."""
    return {"sqlite_where": text(sqlite or condition), "postgresql_where": text(condition)}
