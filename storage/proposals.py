"""The table of proposals; the rest of the schema is in storage.schema."""

from sqlalchemy import Column, Index, Table, Text

from storage.columns import METADATA, Key, where
from storage.moments import Moment
from storage.places import placed

PROPOSALS = Table(
    "proposals",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("action", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("decider", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_role", Text, nullable=False),
    Column("decided_at", Moment),
    Column("result", Text, nullable=False),
    Column("store", Key, nullable=False, server_default=""),
    placed("proposals", "id"),
    Index("ix_proposals_open", "expires", "id", **where("stage = 'open'")),
)
