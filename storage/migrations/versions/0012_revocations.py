"""Revocations, with the keys that are barred for ever, and what a certificate has to say of a revocation.

Only new tables and a column that may be empty: the code of 0011 goes on working beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("certificates", sa.Column("revocation", sa.Text()))
    op.create_table(
        "revocations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("ca", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("run_after", MOMENT),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("done_at", MOMENT),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("by_key", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["certificate"], ["certificates.id"], name="fk_revocations_certificate"),
        sa.PrimaryKeyConstraint("id", name="pk_revocations"),
        sa.UniqueConstraint("revision", name="uq_revocations_revision"),
    )
    op.create_index("ix_revocations_certificate", "revocations", ["certificate", "created_at", "id"])
    waiting = sa.text("run_after IS NOT NULL")
    op.create_index(
        "ix_revocations_due",
        "revocations",
        ["run_after", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "barred_keys",
        sa.Column("spki", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("spki", name="pk_barred_keys"),
    )


def downgrade() -> None:
    op.drop_table("barred_keys")
    op.drop_table("revocations")
    op.drop_column("certificates", "revocation")
