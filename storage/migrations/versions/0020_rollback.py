"""Certificates: that an earlier revision was put back, and until when nothing replaces it by itself.

Only a column that may be empty: the code of 0019 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("certificates", sa.Column("rollback", sa.Text()))


def downgrade() -> None:
    op.drop_column("certificates", "rollback")
