"""The tables of publications; the rest of the schema is in storage.schema."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from storage.columns import METADATA, Key

PUBLISHING = Table(
    "publishing",
    METADATA,
    Column("target", Key, primary_key=True),
    Column("version", BigInteger, nullable=False),
)
"""The present version of each target: whoever raises it holds it until the end, so versions are seen in their order."""

PUBLICATIONS = Table(
    "publications",
    METADATA,
    Column("target", Key, primary_key=True),
    Column("name", Key, primary_key=True),
    Column("revision", Text),
    Column("version", BigInteger, nullable=False),
    Index("ix_publications_version", "target", "version", "name"),
)
