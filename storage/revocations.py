"""The tables of revocations and of barred keys; the rest of the schema is in storage.schema."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from storage.columns import METADATA, Key, where
from storage.moments import Moment

REVOCATIONS = Table(
    "revocations",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("certificate", Key, ForeignKey("certificates.id"), nullable=False),
    Column("revision", Key, nullable=False),
    Column("store", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("ca", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("stage", Text, nullable=False),
    Column("run_after", Moment),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
    Column("done_at", Moment),
    Column("told", Text, nullable=False),
    Column("by_key", Boolean, nullable=False),
    UniqueConstraint("revision"),
    Index("ix_revocations_certificate", "certificate", "created_at", "id"),
    Index("ix_revocations_due", "run_after", "id", **where("run_after IS NOT NULL")),
)

BARRED_KEYS = Table(
    "barred_keys",
    METADATA,
    Column("spki", Key, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("serial", Text, nullable=False),
    Column("person", Text, nullable=False),
)
