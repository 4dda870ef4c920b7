"""`certdesk workspaces`: in which Slack workspaces certdesk is installed, for whoever runs it. No token is shown."""

from json import dumps
from typing import Any

from bot import wiring
from bot.config import load
from services.model.audiences import Kind
from services.model.clock import rfc3339
from services.model.workspaces import Workspace


def list_workspaces(*, as_json: bool = False) -> str:
    """Return one line for each workspace with its state and its stores; as JSON a list."""
    storage = wiring.open_storage(load())
    try:
        with storage.read() as tx:
            rows = [
                (row, [link.store for link in tx.links.of(Kind.WORKSPACE, row.team)])
                for row in tx.workspaces.all()
            ]
    finally:
        storage.close()
    if as_json:
        return dumps([_as_json(row, stores) for row, stores in rows], indent=2)
    if not rows:
        return "certdesk is installed in no workspace by OAuth. docs/workspaces.md says how it is."
    return "\n".join(_as_line(row, stores) for row, stores in rows)


def _as_line(row: Workspace, stores: list[str]) -> str:
    ends = f", its token ends {rfc3339(row.expires_at)}" if row.expires_at else ""
    since = f"installed {rfc3339(row.installed_at)} by {row.installed_by}"
    told = f", told in {row.alert_channel}" if row.alert_channel else ""
    return f"{row.team:<14} {row.state.value:<12} {row.name}: {' '.join(stores) or 'no stores'} ({since}{ends}{told})"


def _as_json(row: Workspace, stores: list[str]) -> dict[str, Any]:
    return {
        "team": row.team,
        "enterprise": row.enterprise or None,
        "name": row.name,
        "state": row.state.value,
        "stores": stores,
        "alert_channel": row.alert_channel or None,
        "installed_by": row.installed_by,
        "installed_at": rfc3339(row.installed_at),
        "token_ends_at": rfc3339(row.expires_at) if row.expires_at else None,
    }
