"""Publications: which revision a target that is asked answers with.

Only new tables: the code of 0014 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "publishing",
        sa.Column("target", KEY, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target", name="pk_publishing"),
    )
    op.create_table(
        "publications",
        sa.Column("target", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("revision", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target", "name", name="pk_publications"),
    )
    op.create_index("ix_publications_version", "publications", ["target", "version", "name"])


def downgrade() -> None:
    op.drop_table("publications")
    op.drop_table("publishing")
