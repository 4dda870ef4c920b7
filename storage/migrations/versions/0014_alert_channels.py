"""Workspaces: the channel in which a workspace is told what its merchants have to do.

Only a column with a default: the code of 0013 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("alert_channel", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("workspaces", "alert_channel")
