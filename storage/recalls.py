"""The table of recalls; the rest of the schema is in storage.schema."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from storage.columns import METADATA, Key, where
from storage.moments import Moment

RECALLS = Table(
    "recalls",
    METADATA,
    Column("revision", Key, primary_key=True),
    Column("certificate", Key, ForeignKey("certificates.id"), nullable=False),
    Column("store", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("ca", Key, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("because", Text, nullable=False),
    Column("planned", Boolean, nullable=False),
    Column("job", Key, nullable=False),
    Index("ix_recalls_certificate", "certificate", "seen_at"),
    Index("ix_recalls_single", "ca", "seen_at", "revision", **where("job = ''")),
    Index("ix_recalls_plan", "ca", "seen_at", "job", **where("job <> ''")),
)
