"""An index over the events that end an attempt, for the counts of the report.

Only a new index: the code of 0012 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    endings = sa.text("what IN ('verified', 'unproved', 'attempt_failed')")
    op.create_index(
        "ix_events_endings", "events", ["what", "at"], sqlite_where=endings, postgresql_where=endings
    )


def downgrade() -> None:
    op.drop_index("ix_events_endings", "events")
