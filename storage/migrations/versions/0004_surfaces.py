"""Surfaces: requests tell in which modal or Home tab they were made, and what was filled in there.

Only new columns with defaults: the code of 0003 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = (("trigger", ""), ("view", ""), ("form", "{}"))


def upgrade() -> None:
    for name, default in COLUMNS:
        op.add_column("requests", sa.Column(name, sa.Text(), nullable=False, server_default=default))


def downgrade() -> None:
    for name, _ in reversed(COLUMNS):
        op.drop_column("requests", name)
