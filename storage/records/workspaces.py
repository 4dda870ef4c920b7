"""Slack workspaces: rows to dataclasses and back."""

from collections.abc import Sequence
from typing import Any

from services.model.workspaces import Workspace, WorkspaceState
from storage.records.coding import Values, storable


def workspace_values(workspace: Workspace) -> Values:
    """Return the row of a workspace."""
    return {
        "team": workspace.team,
        "enterprise": storable(workspace.enterprise),
        "name": storable(workspace.name),
        "bot_user": storable(workspace.bot_user),
        "sealed_token": workspace.sealed_token,
        "installed_by": storable(workspace.installed_by),
        "installed_at": workspace.installed_at,
        "sealed_refresh": workspace.sealed_refresh,
        "expires_at": workspace.expires_at,
        "state": workspace.state.value,
        "generation": workspace.generation,
        "alert_channel": storable(workspace.alert_channel),
    }


def workspace(row: Sequence[Any]) -> Workspace:
    """Return the workspace of a row."""
    team, enterprise, name, bot_user, token, by, at, refresh, expires_at, state, generation, told = row
    return Workspace(
        team,
        enterprise,
        name,
        bot_user,
        bytes(token),
        by,
        at,
        bytes(refresh) if refresh is not None else None,
        expires_at,
        WorkspaceState(state),
        generation,
        told,
    )
