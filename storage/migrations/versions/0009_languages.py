"""Languages: which one is spoken in a channel, where somebody has chosen it.

Only a new table: the code of 0008 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "channel_languages",
        sa.Column("channel", KEY, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_channel_languages"),
    )


def downgrade() -> None:
    op.drop_table("channel_languages")
