"""Rows that somebody names by their key are found by store and key as one, so that those of others are not touched.

Only indices, and a column with a default: the code of 0018 goes on working beside this one. What that code adds meanwhile has no
store, so that merchants do not find it by its id; what waits for a yes does so for minutes, and staff find all.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _place("domains", "name")
    _place("certificates", "id")
    for table in ("proposals", "jobs"):
        op.add_column(table, sa.Column("store", KEY, nullable=False, server_default=""))
        _fill(table)
        _place(table, "id")


def _place(table: str, key: str) -> None:
    op.create_index(f"ix_{table}_placed", table, [sa.text(f"(store || '/' || {key})")])
    if (
        op.get_bind().dialect.name == "postgresql"
    ):  # else it would guess that many rows have the same, and read the whole table
        op.execute(f"ANALYZE {table}")


def _fill(table: str) -> None:
    """Put in the first store that each row is about."""
    rows = sa.table(table, sa.column("id"), sa.column("what"), sa.column("store"))
    connection = op.get_bind()
    for id_, what in connection.execute(sa.select(rows.c.id, rows.c.what)).all():
        stores = json.loads(what).get("stores") or [""]
        connection.execute(sa.update(rows).where(rows.c.id == id_).values(store=stores[0]))


def downgrade() -> None:
    for table in ("jobs", "proposals"):
        op.drop_index(f"ix_{table}_placed", table)
        op.drop_column(table, "store")
    for table in ("certificates", "domains"):
        op.drop_index(f"ix_{table}_placed", table)
