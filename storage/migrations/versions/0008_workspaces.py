"""Workspaces: certdesk may be installed in several; requests and messages tell in which one they are.

Only new tables, and new columns with defaults: the code of 0007 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)
COLUMNS = (("requests", "workspace"), ("outbox", "team"), ("outbox", "origin"))


def upgrade() -> None:
    op.create_table(
        "workspaces",
        sa.Column("team", KEY, nullable=False),
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bot_user", sa.Text(), nullable=False),
        sa.Column("sealed_token", sa.LargeBinary(), nullable=False),
        sa.Column("installed_by", sa.Text(), nullable=False),
        sa.Column("installed_at", MOMENT, nullable=False),
        sa.Column("sealed_refresh", sa.LargeBinary()),
        sa.Column("expires_at", MOMENT),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team", name="pk_workspaces"),
    )
    op.create_table(
        "spent",
        sa.Column("token", KEY, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_spent"),
    )
    for table, name in COLUMNS:
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for table, name in reversed(COLUMNS):
        op.drop_column(table, name)
    op.drop_table("spent")
    op.drop_table("workspaces")
