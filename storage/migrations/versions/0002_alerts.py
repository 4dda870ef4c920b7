"""Alerts: the fleet's watch, who suffers from what, breakers and budgets; more to say of requests and messages.

Only additions, each with a default: the code of 0001 goes on working beside this one.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)

# One look at each certificate, spread over the coming day in the order of their ids.
PLAN = {
    "sqlite": """
        INSERT INTO watches (id, due_at, fence)
        SELECT id, strftime('%Y-%m-%d %H:%M:%f000', 'now', (86400.0 * place / total) || ' seconds'), 0
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS total FROM certificates)
        """,
    "postgresql": """
        INSERT INTO watches (id, due_at, fence)
        SELECT id, now() + 86400.0 * place / total * INTERVAL '1 second', 0
        FROM (
            SELECT id, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS total FROM certificates
        ) AS existing
        """,
}


def _where(condition: str, sqlite: str = "") -> dict[str, Any]:
    return {"sqlite_where": sa.text(sqlite or condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    for table, name, kind, options in COLUMNS:
        op.add_column(table, sa.Column(name, kind, **options))
    for make in MAKERS:
        make()
    op.execute(PLAN[op.get_context().dialect.name])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("ix_outbox_owed", "outbox")
    op.drop_index("ix_certificates_renewals", "certificates")
    for table, name, *_ in reversed(COLUMNS):
        op.drop_column(table, name)


def _indices() -> None:
    op.create_index("ix_outbox_owed", "outbox", ["via", "run_after", "id"], **_where("version > sent"))
    op.create_index(
        "ix_certificates_renewals",
        "certificates",
        ["renew_at", "store"],
        **_where("renew_at IS NOT NULL AND installed IS NOT NULL"),
    )


def _watches() -> None:
    op.create_table(
        "watches",
        sa.Column("id", KEY, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_watches"),
    )
    op.create_index("ix_watches_due", "watches", ["due_at", "id"])


def _sightings() -> None:
    op.create_table(
        "sightings",
        sa.Column("certificate", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("alert", KEY, nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("owner", KEY, nullable=False),
        sa.Column("store", KEY, nullable=False),
        sa.Column("name", KEY, nullable=False),
        sa.Column("blocks", sa.Boolean(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("last_seen", MOMENT, nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("deadline", MOMENT),
        sa.Column("lifetime", sa.BigInteger()),
        sa.Column("renews_at", MOMENT),
        sa.PrimaryKeyConstraint("certificate", "key", name="pk_sightings"),
    )
    members = ["alert", "confirmed", "deadline", "certificate"]
    op.create_index("ix_sightings_members", "sightings", members)
    op.create_index("ix_sightings_store", "sightings", ["store"])
    op.create_index(
        "ix_sightings_blocking",
        "sightings",
        ["certificate", "position", "key"],
        **_where("confirmed AND blocks", "confirmed = 1 AND blocks = 1"),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("code", KEY, nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("wide", sa.Boolean(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("said", sa.SmallInteger()),
        sa.Column("healed_at", MOMENT),
        sa.Column("lead", sa.Text()),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_attempt", MOMENT),
        sa.Column("earliest", MOMENT),
        sa.Column("acked_by", sa.Text(), nullable=False),
        sa.Column("acked_at", MOMENT),
        sa.Column("acked", sa.SmallInteger()),
        sa.Column("snoozed_by", sa.Text(), nullable=False),
        sa.Column("snoozed_until", MOMENT),
        sa.Column("handed_to", sa.Text(), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("hooks", sa.Text(), nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("stirred", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_open", "alerts", ["key"], unique=True, **_where("healed_at IS NULL"))
    op.create_index("ix_alerts_key", "alerts", ["key", "opened_at", "id"])
    op.create_index("ix_alerts_due", "alerts", ["due_at", "id"], **_where("due_at IS NOT NULL"))
    op.create_index("ix_alerts_code", "alerts", ["code", "opened_at"])
    op.create_index("ix_alerts_opened", "alerts", ["opened_at", "id"])
    op.create_index("ix_alerts_healed", "alerts", ["healed_at", "id"], **_where("healed_at IS NOT NULL"))


def _breakers() -> None:
    op.create_table(
        "breakers",
        sa.Column("thing", KEY, nullable=False),
        sa.Column("failed", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT),
        sa.Column("probe_at", MOMENT),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("thing", name="pk_breakers"),
    )


def _budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("key", KEY, nullable=False),
        sa.Column("full_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_budgets"),
    )


COLUMNS: tuple[tuple[str, str, Any, dict[str, Any]], ...] = (
    ("stores", "tags", sa.Text(), {"nullable": False, "server_default": "[]"}),
    ("certificates", "compared", sa.Text(), {}),
    ("requests", "kind", sa.Text(), {"nullable": False, "server_default": "command"}),
    ("outbox", "via", KEY, {"nullable": False, "server_default": "slack"}),
    ("outbox", "thread", sa.Text(), {"nullable": False, "server_default": ""}),
)
MAKERS = (_indices, _watches, _sightings, _alerts, _breakers, _budgets)
TABLES = ("watches", "sightings", "alerts", "breakers", "budgets")
