"""The tables of who belongs to which store and reads which language, and of the audit trail; the rest of the schema is in storage.schema."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from storage.columns import METADATA, Key, where
from storage.moments import Moment

LINKS = Table(
    "links",
    METADATA,
    Column("kind", Key, primary_key=True),
    Column("who", Key, primary_key=True),
    Column("store", Key, ForeignKey("stores.id"), primary_key=True),
    Column("by", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_links_channel", "who", unique=True, **where("kind = 'channel'")),  # a channel has one store
    Index("ix_links_store", "store", "kind", "who"),
)

LINK_REQUESTS = Table(
    "link_requests",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("person", Key, nullable=False),
    Column("store", Key, nullable=False),
    Column("channel", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Index("ix_link_requests_open", "person", "store", unique=True, **where("decided_at IS NULL")),
)

CHANNEL_LANGUAGES = Table(
    "channel_languages",
    METADATA,
    Column("channel", Key, primary_key=True),
    Column("language", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column(
        "number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    ),  # given by the chain: a sequence leaves gaps where a transaction is rolled back
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

AUDIT_WORDS = Table(
    "audit_words",
    METADATA,
    Column("word", Key, primary_key=True),
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,  # the key is all there is: the rows of one word stand side by side, in order
)
"""What rows of the audit trail are found by (`services.model.audit.words_of`). A trigger fills it, whatever code writes the row."""
