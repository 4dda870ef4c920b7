"""Proposals: what waits for a confirmation, or for a second person.

Only a new table: the code of 0006 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", KEY, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("action", "what", "person", "role", "channel")
        ),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("decider", "stage", "decided_by", "decided_role")
        ),
        sa.Column("decided_at", MOMENT),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
    )
    open_ = sa.text("stage = 'open'")
    op.create_index(
        "ix_proposals_open", "proposals", ["expires", "id"], sqlite_where=open_, postgresql_where=open_
    )


def downgrade() -> None:
    op.drop_table("proposals")
