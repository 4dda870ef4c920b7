"""Scans: names whose pages are looked at, with what was found.

Only a new table: the code of 0015 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "scans",
        sa.Column("id", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("run_after", MOMENT),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("paths", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("scan", sa.Text()),
        sa.Column("answered", MOMENT),
        sa.Column("problems", sa.Integer()),
        sa.Column("first_problems", sa.Integer()),
        sa.Column("since", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_scans"),
    )
    due = sa.text("run_after IS NOT NULL")
    op.create_index("ix_scans_due", "scans", ["run_after", "id"], sqlite_where=due, postgresql_where=due)


def downgrade() -> None:
    op.drop_table("scans")
