"""The table of names whose pages are scanned; the rest of the schema is in storage.schema."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from storage.columns import METADATA, Key, where
from storage.moments import Moment

SCANS = Table(
    "scans",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("store", Key, nullable=False),
    Column("run_after", Moment),
    Column("asked_at", Moment, nullable=False),
    Column("paths", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Column("pages", Integer, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("scan", Text),
    Column("answered", Moment),
    Column("problems", Integer),
    Column("first_problems", Integer),
    Column("since", Moment),
    Index("ix_scans_due", "run_after", "id", **where("run_after IS NOT NULL")),
)
