"""Jobs: one wish for many certificates, with an item for each.

Only new tables: the code of 0009 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_after", MOMENT),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("since", MOMENT),
        sa.Column("active", sa.Float(53), nullable=False),
        sa.Column("waits", MOMENT),
        sa.Column("shown_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    running = sa.text("state = 'running'")
    op.create_index(
        "ix_jobs_due", "jobs", ["run_after", "id"], sqlite_where=running, postgresql_where=running
    )
    op.create_table(
        "job_items",
        sa.Column("job", KEY, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("before", KEY, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name="fk_job_items_job"),
        sa.PrimaryKeyConstraint("job", "number", name="pk_job_items"),
    )
    op.create_index("ix_job_items_state", "job_items", ["job", "state", "number"])


def downgrade() -> None:
    op.drop_table("job_items")
    op.drop_table("jobs")
