"""The database's tables, as SQLAlchemy Core: what the migrations create and the repositories speak to.

Lists and nested values are JSON in text columns, states are plain text: no types that only one database has. The
indices follow the questions that are asked all the time, so that each costs what it finds, not what is stored. Watches, alerts and what goes with them
are in storage.alerting, links and the audit trail in storage.audiences, what certificates are found by in
storage.searching, Slack workspaces in storage.workspaces.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from storage.alerting import ALERTS, BREAKERS, BUDGETS, SIGHTINGS, WATCHES
from storage.audiences import AUDIT, AUDIT_WORDS, CHANNEL_LANGUAGES, LINK_REQUESTS, LINKS
from storage.columns import METADATA, Key, where
from storage.jobs import JOB_ITEMS, JOBS
from storage.moments import Moment
from storage.places import placed
from storage.proposals import PROPOSALS
from storage.publications import PUBLICATIONS, PUBLISHING
from storage.recalls import RECALLS
from storage.revocations import BARRED_KEYS, REVOCATIONS
from storage.scans import SCANS
from storage.searching import TERMS
from storage.workspaces import SPENT, WORKSPACES

__all__ = [
    "ACCOUNTS",
    "ALERTS",
    "AUDIT",
    "AUDIT_WORDS",
    "BARRED_KEYS",
    "BREAKERS",
    "BUDGETS",
    "CERTIFICATES",
    "CHALLENGES",
    "CHANNEL_LANGUAGES",
    "DOMAINS",
    "EVENTS",
    "FINDINGS",
    "FOLLOWERS",
    "JOBS",
    "JOB_ITEMS",
    "LEADS",
    "LINKS",
    "LINK_REQUESTS",
    "METADATA",
    "OUTBOX",
    "PROPOSALS",
    "PUBLICATIONS",
    "PUBLISHING",
    "RECALLS",
    "REQUESTS",
    "REVISIONS",
    "REVOCATIONS",
    "SCANS",
    "SIGHTINGS",
    "SPENT",
    "STORES",
    "TERMS",
    "VERSIONS",
    "WATCHES",
    "WORKERS",
    "WORKSPACES",
]

VERSIONS = tuple(f"{number:04}" for number in range(1, 22))
"""The schema's revisions (storage/migrations/versions), oldest first: the last one is what this code speaks to."""

STORES = Table(
    "stores",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("status", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("tags", Text, nullable=False, server_default="[]"),
)

DOMAINS = Table(
    "domains",
    METADATA,
    Column("name", Key, primary_key=True),
    Column("store", Key, ForeignKey("stores.id"), nullable=False),
    Column("is_default", Boolean, nullable=False),
    Index("ix_domains_store_name", "store", "name"),
    placed("domains", "name"),
)

CERTIFICATES = Table(
    "certificates",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("store", Key, nullable=False),
    Column("domain", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Column("wanted", Text, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_after", Moment),
    Column("installed", Text),
    Column("next", Text),
    Column("attempt", Text),
    Column("stopped_at", Text),
    Column("failures", Integer, nullable=False),
    Column("strikes", Integer, nullable=False),
    Column("problem", Text),
    Column("asked", Boolean, nullable=False),
    Column("serial", Text),
    Column("not_before", Moment),
    Column("not_after", Moment),
    Column("renew_at", Moment),
    Column("window_start", Moment),
    Column("window_end", Moment),
    Column("ari_after", Moment),
    Column("retry_at", Moment),
    Column("compared", Text),
    Column("urgency", BigInteger, nullable=False),  # small is bad: see storage.records.urgency
    Column("revocation", Text),
    Column("placements", Text),
    Column("rollback", Text),
    UniqueConstraint("store", "domain"),
    Index("ix_certificates_due", "run_after", "id", **where("run_after IS NOT NULL")),
    Index(
        "ix_certificates_renewals",
        "renew_at",
        "store",
        **where("renew_at IS NOT NULL AND installed IS NOT NULL"),
    ),
    Index("ix_certificates_worst", "urgency", "domain", "id"),
    Index("ix_certificates_state", "state", "urgency", "domain", "id"),
    placed("certificates", "id"),
    Index("ix_certificates_store_worst", "store", "urgency", "domain", "id"),
)

REVISIONS = Table(
    "revisions",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("certificate", Key, ForeignKey("certificates.id"), nullable=False),
    Column("names", Text, nullable=False),
    Column("csr", Text, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("key_type", Text, nullable=False),
    Column("ca", Text, nullable=False),
    Column("order_url", Text),
    Column("finalize_url", Text),
    Column("authorizations", Text, nullable=False),
    Column("certificate_url", Text),
    Column("chain", Text),
    Column("serial", Text),
    Column("not_before", Moment),
    Column("not_after", Moment),
    Index("ix_revisions_certificate", "certificate", "created_at", "id"),
)

FINDINGS = Table(
    "findings",
    METADATA,
    Column("certificate", Key, ForeignKey("certificates.id"), primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("name", Key, nullable=False),
    Column("owner", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("checked_at", Moment, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("first_seen", Moment, nullable=False),  # since when the same code stands at the same name
)

EVENTS = Table(
    "events",
    METADATA,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    Column("certificate", Key, ForeignKey("certificates.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("what", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("details", Text, nullable=False),
    Index("ix_events_certificate", "certificate", "id"),
    Index("ix_events_endings", "what", "at", **where("what IN ('verified', 'unproved', 'attempt_failed')")),
)

CHALLENGES = Table(
    "challenges",
    METADATA,
    Column("token", Key, primary_key=True),
    Column("key_authorization", Text, nullable=False),
    Column("certificate", Key, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("ix_challenges_certificate", "certificate"),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("ca", Text, nullable=False),
    Column("directory", Key, primary_key=True),
    Column("url", Text, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

REQUESTS = Table(
    "requests",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("dedupe", Key, nullable=False),
    Column("team", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Column("tries", Integer, nullable=False),
    Column("kind", Text, nullable=False, server_default="command"),
    Column("trigger", Text, nullable=False, server_default=""),
    Column("view", Text, nullable=False, server_default=""),
    Column("form", Text, nullable=False, server_default="{}"),
    Column("workspace", Text, nullable=False, server_default=""),
    UniqueConstraint("dedupe"),
    Index("ix_requests_undone", "created_at", "id", **where("done_at IS NULL")),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", Key, primary_key=True),
    Column("key", Key, nullable=False),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("follows", Text, nullable=False),  # the same as its rows in followers, to be read with the message
    Column("ts", Text),
    Column("version", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("run_after", Moment),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_until", Moment),
    Column("via", Key, nullable=False, server_default="slack"),
    Column("thread", Text, nullable=False, server_default=""),
    Column("team", Text, nullable=False, server_default=""),
    Column("origin", Text, nullable=False, server_default=""),
    UniqueConstraint("key"),
    Index("ix_outbox_dirty", "run_after", "id", **where("version > sent")),
    Index("ix_outbox_owed", "via", "run_after", "id", **where("version > sent")),
)

FOLLOWERS = Table(
    "followers",
    METADATA,
    Column("certificate", Key, primary_key=True),
    Column("message", Key, ForeignKey("outbox.id"), primary_key=True),
    Index("ix_followers_message", "message"),
)

WORKERS = Table(
    "workers",
    METADATA,
    Column("worker", Key, primary_key=True),
    Column("seen_at", Moment, nullable=False),
)

LEADS = Table(
    "leads",
    METADATA,
    Column("duty", Key, primary_key=True),
    Column("worker", Text, nullable=False),
    Column("until", Moment, nullable=False),
)
