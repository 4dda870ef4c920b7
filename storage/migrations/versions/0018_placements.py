"""Certificates: which revision each deploy target was given last.

Only a column that may be empty: the code of 0017 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("certificates", sa.Column("placements", sa.Text()))


def downgrade() -> None:
    op.drop_column("certificates", "placements")
