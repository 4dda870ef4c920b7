"""Everything there is at first: stores, certificates and their history, the queues of requests and messages."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    for make in MAKERS:
        make()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _stores() -> None:
    op.create_table(
        "stores",
        sa.Column("id", KEY, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stores"),
    )


def _domains() -> None:
    op.create_table(
        "domains",
        sa.Column("name", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["store"], ["stores.id"], name="fk_domains_store"),
        sa.PrimaryKeyConstraint("name", name="pk_domains"),
    )
    op.create_index("ix_domains_store_name", "domains", ["store", "name"])


def _certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("domain", KEY, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_after", MOMENT),
        sa.Column("installed", sa.Text()),
        sa.Column("next", sa.Text()),
        sa.Column("attempt", sa.Text()),
        sa.Column("stopped_at", sa.Text()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("serial", sa.Text()),
        sa.Column("not_before", MOMENT),
        sa.Column("not_after", MOMENT),
        sa.Column("renew_at", MOMENT),
        sa.Column("window_start", MOMENT),
        sa.Column("window_end", MOMENT),
        sa.Column("ari_after", MOMENT),
        sa.Column("retry_at", MOMENT),
        sa.Column("urgency", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_certificates"),
        sa.UniqueConstraint("store", "domain", name="uq_certificates_store_domain"),
    )
    op.create_index(
        "ix_certificates_due", "certificates", ["run_after", "id"], **_where("run_after IS NOT NULL")
    )
    op.create_index("ix_certificates_store_worst", "certificates", ["store", "urgency", "domain", "id"])
    op.create_index("ix_certificates_worst", "certificates", ["urgency", "domain", "id"])


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("csr", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("key_type", sa.Text(), nullable=False),
        sa.Column("ca", sa.Text(), nullable=False),
        sa.Column("order_url", sa.Text()),
        sa.Column("finalize_url", sa.Text()),
        sa.Column("authorizations", sa.Text(), nullable=False),
        sa.Column("certificate_url", sa.Text()),
        sa.Column("chain", sa.Text()),
        sa.Column("serial", sa.Text()),
        sa.Column("not_before", MOMENT),
        sa.Column("not_after", MOMENT),
        sa.ForeignKeyConstraint(["certificate"], ["certificates.id"], name="fk_revisions_certificate"),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
    )
    op.create_index("ix_revisions_certificate", "revisions", ["certificate", "created_at", "id"])


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["certificate"], ["certificates.id"], name="fk_findings_certificate"),
        sa.PrimaryKeyConstraint("certificate", "position", name="pk_findings"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["certificate"], ["certificates.id"], name="fk_events_certificate"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_certificate", "events", ["certificate", "id"])


def _challenges() -> None:
    op.create_table(
        "challenges",
        sa.Column("token", KEY, nullable=False),
        sa.Column("key_authorization", sa.Text(), nullable=False),
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_challenges"),
    )
    op.create_index("ix_challenges_certificate", "challenges", ["certificate"])


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("ca", sa.Text(), nullable=False),
        sa.Column("directory", KEY, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("directory", name="pk_accounts"),
    )


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", KEY, nullable=False),
        sa.Column("dedupe", KEY, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.UniqueConstraint("dedupe", name="uq_requests_dedupe"),
    )
    op.create_index("ix_requests_undone", "requests", ["created_at", "id"], **_where("done_at IS NULL"))


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("follows", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("run_after", MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )
    op.create_index("ix_outbox_dirty", "outbox", ["run_after", "id"], **_where("version > sent"))


def _followers() -> None:
    op.create_table(
        "followers",
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("message", KEY, nullable=False),
        sa.ForeignKeyConstraint(["message"], ["outbox.id"], name="fk_followers_message"),
        sa.PrimaryKeyConstraint("certificate", "message", name="pk_followers"),
    )
    op.create_index("ix_followers_message", "followers", ["message"])


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("worker", KEY, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_workers"),
    )


MAKERS = (
    _stores,
    _domains,
    _certificates,
    _revisions,
    _findings,
    _events,
    _challenges,
    _accounts,
    _requests,
    _outbox,
    _followers,
    _workers,
)
TABLES = (
    "stores",
    "domains",
    "certificates",
    "revisions",
    "findings",
    "events",
    "challenges",
    "accounts",
    "requests",
    "outbox",
    "followers",
    "workers",
)
