"""Audiences: which persons and channels belong to which store, requests for that, and the audit trail.

Only new tables: the code of 0002 goes on working beside this one.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    for make in MAKERS:
        make()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("kind", KEY, nullable=False),
        sa.Column("who", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["store"], ["stores.id"], name="fk_links_store"),
        sa.PrimaryKeyConstraint("kind", "who", "store", name="pk_links"),
    )
    op.create_index("ix_links_channel", "links", ["who"], unique=True, **_where("kind = 'channel'"))
    op.create_index("ix_links_store", "links", ["store", "kind", "who"])


def _link_requests() -> None:
    op.create_table(
        "link_requests",
        sa.Column("id", KEY, nullable=False),
        sa.Column("person", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_link_requests"),
    )
    op.create_index(
        "ix_link_requests_open",
        "link_requests",
        ["person", "store"],
        unique=True,
        **_where("decided_at IS NULL"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )


MAKERS = (_links, _link_requests, _audit)
TABLES = ("links", "link_requests", "audit")
