"""Recalls: what CAs want replaced at once; and the place of an item in the order of its job.

Only a new table, a column with a default and an index: the code of 0020 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "recalls",
        sa.Column("revision", KEY, nullable=False),
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ca", KEY, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("not_after", MOMENT, nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("planned", sa.Boolean(), nullable=False),
        sa.Column("job", KEY, nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_recalls"),
        sa.ForeignKeyConstraint(["certificate"], ["certificates.id"], name="fk_recalls_certificate"),
    )
    single, plan = sa.text("job = ''"), sa.text("job <> ''")
    op.create_index("ix_recalls_certificate", "recalls", ["certificate", "seen_at"])
    op.create_index(
        "ix_recalls_single",
        "recalls",
        ["ca", "seen_at", "revision"],
        sqlite_where=single,
        postgresql_where=single,
    )
    op.create_index(
        "ix_recalls_plan", "recalls", ["ca", "seen_at", "job"], sqlite_where=plan, postgresql_where=plan
    )
    op.add_column("job_items", sa.Column("place", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_job_items_place", "job_items", ["job", "state", "place", "number"])


def downgrade() -> None:
    op.drop_index("ix_job_items_place", "job_items")
    op.drop_column("job_items", "place")
    op.drop_table("recalls")
