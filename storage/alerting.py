"""The tables of the fleet's watch and its alerts, of breakers and budgets; the rest of the schema is in storage.schema."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, Table, Text

from storage.columns import METADATA, Key, where
from storage.moments import Moment

WATCHES = Table(
    "watches",
    METADATA,
    Column("id", Key, primary_key=True),  # the certificate's
    Column("due_at", Moment, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Index("ix_watches_due", "due_at", "id"),
)

SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("certificate", Key, primary_key=True),  # no foreign key: certdesk's own health has no certificate
    Column("key", Key, primary_key=True),
    Column("alert", Key, nullable=False),
    Column("code", Key, nullable=False),
    Column("owner", Key, nullable=False),
    Column("store", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("blocks", Boolean, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("deadline", Moment),
    Column("lifetime", BigInteger),  # seconds
    Column("renews_at", Moment),
    Index("ix_sightings_members", "alert", "confirmed", "deadline", "certificate"),
    Index("ix_sightings_store", "store"),
    Index(
        "ix_sightings_blocking",
        "certificate",
        "position",
        "key",
        **where("confirmed AND blocks", "confirmed = 1 AND blocks = 1"),
    ),
)

ALERTS = Table(
    "alerts",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("key", Key, nullable=False),
    Column("code", Key, nullable=False),
    Column("thing", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("wide", Boolean, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("said", SmallInteger),
    Column("healed_at", Moment),
    Column("lead", Text),
    Column("members", Integer, nullable=False),
    Column("most", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_attempt", Moment),
    Column("earliest", Moment),
    Column("acked_by", Text, nullable=False),
    Column("acked_at", Moment),
    Column("acked", SmallInteger),
    Column("snoozed_by", Text, nullable=False),
    Column("snoozed_until", Moment),
    Column("handed_to", Text, nullable=False),
    Column("channels", Text, nullable=False),
    Column("hooks", Text, nullable=False),
    Column("due_at", Moment),
    Column("stirred", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Index("ix_alerts_open", "key", unique=True, **where("healed_at IS NULL")),
    Index("ix_alerts_key", "key", "opened_at", "id"),
    Index("ix_alerts_due", "due_at", "id", **where("due_at IS NOT NULL")),
    Index("ix_alerts_code", "code", "opened_at"),
    Index("ix_alerts_opened", "opened_at", "id"),
    Index("ix_alerts_healed", "healed_at", "id", **where("healed_at IS NOT NULL")),
)

BREAKERS = Table(
    "breakers",
    METADATA,
    Column("thing", Key, primary_key=True),
    Column("failed", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("opened_at", Moment),
    Column("probe_at", Moment),
    Column("probes", Integer, nullable=False),
)

BUDGETS = Table(
    "budgets",
    METADATA,
    Column("key", Key, primary_key=True),
    Column("full_at", Moment, nullable=False),
)
