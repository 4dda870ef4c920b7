"""Jobs: in which role somebody has paused or resumed one, and the workspace in which who is behind it asked.

Only new columns with a default, the last ones: the code of 0010 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("changed_role", "workspace"):
        op.add_column("jobs", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("workspace", "changed_role"):
        op.drop_column("jobs", name)
