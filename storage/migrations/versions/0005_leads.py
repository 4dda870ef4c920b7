"""Leads: who of the workers does alone what must not be done by two at once, such as delivering messages in order.

Only a new table: the code of 0004 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "leads",
        sa.Column("duty", KEY, nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("duty", name="pk_leads"),
    )


def downgrade() -> None:
    op.drop_table("leads")
