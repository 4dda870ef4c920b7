"""The Slack workspaces in which certdesk is installed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from services.model.workspaces import Workspace, WorkspaceState
from storage import records
from storage.records.coding import storable
from storage.repositories.base import Repository
from storage.repositories.upserts import insert, insert_or_keep, insert_or_update
from storage.workspaces import SPENT, WORKSPACES

_W = WORKSPACES.c
_TEAM = bindparam("the_team", type_=_W.team.type)
_MOMENT = bindparam("the_moment", type_=_W.installed_at.type)
_ACTIVE = _W.state == WorkspaceState.ACTIVE.value
_GET = select(WORKSPACES).where(_W.team == _TEAM)
_ALL = select(WORKSPACES).order_by(_W.team)
_KEPT = ("team", "generation", "alert_channel")
_INSTALL = insert_or_update(
    WORKSPACES,
    "team",
    lambda new: {
        **{column.key: new[column.key] for column in _W if column.key not in _KEPT},
        "generation": _W.generation + 1,
    },
)
_RENEW = (
    update(WORKSPACES)
    .where(_W.team == _TEAM, _ACTIVE, _W.generation == bindparam("the_generation"))
    .values(generation=_W.generation + 1)
)
_LEAVE = update(WORKSPACES).where(_W.team == _TEAM, _ACTIVE, _W.installed_at < _MOMENT).returning(WORKSPACES)
_TELL_IN = update(WORKSPACES).where(_W.team == _TEAM)
_EXPIRING = (
    select(WORKSPACES)
    .where(_ACTIVE, _W.sealed_refresh.is_not(None), _W.expires_at < _MOMENT)
    .order_by(_W.expires_at, _W.team)
)
_SPEND = insert_or_keep(SPENT, "token")
_FORGET = delete(SPENT).where(SPENT.c.until <= _MOMENT)


class SqlWorkspaces(Repository):
    """`services.ports.Workspaces`."""

    __slots__ = ()

    def get(self, team: str) -> Workspace | None:
        """Return the workspace with this id, whatever its state, or None."""
        row = self._connection.execute(_GET, {"the_team": team}).first()
        return records.workspace(row) if row else None

    def all(self) -> Sequence[Workspace]:
        """Return every workspace, sorted by id."""
        return [records.workspace(row) for row in self._connection.execute(_ALL)]

    def install(self, workspace: Workspace) -> Workspace:
        """Insert, or replace a former installation; return what is stored then."""
        insert(self._connection, _INSTALL, records.workspace_values(workspace))
        row = self._connection.execute(_GET, {"the_team": workspace.team}).one()
        return records.workspace(row)

    def renew(self, workspace: Workspace) -> bool:
        """Save new tokens and their end, if the generation is still the stored one and it is active."""
        values = {
            "the_team": workspace.team,
            "the_generation": workspace.generation,
            "sealed_token": workspace.sealed_token,
            "sealed_refresh": workspace.sealed_refresh,
            "expires_at": workspace.expires_at,
        }
        return self._connection.execute(_RENEW, values).rowcount == 1

    def leave(self, team: str, state: WorkspaceState, before: datetime) -> Workspace | None:
        """Set the state of an active workspace that was installed before ``before``; return it as it is then."""
        values = {"the_team": team, "the_moment": before, "state": state.value}
        row = self._connection.execute(_LEAVE, values).first()
        return records.workspace(row) if row else None

    def tell_in(self, team: str, channel: str) -> Workspace | None:
        """Choose the workspace's alert_channel (empty: none), whatever its state; return it as it was before."""
        before = self.get(team)
        if before is not None:
            self._connection.execute(_TELL_IN, {"the_team": team, "alert_channel": storable(channel)})
        return before

    def expiring(self, before: datetime) -> Sequence[Workspace]:
        """Return active workspaces with a refresh token whose token ends before this moment, the earliest first."""
        return [records.workspace(row) for row in self._connection.execute(_EXPIRING, {"the_moment": before})]

    def spend(self, token: str, until: datetime, now: datetime) -> bool:
        """Use up something that is good for one time, known by ``token``; False if that was done before."""
        self._connection.execute(_FORGET, {"the_moment": now})
        return insert(self._connection, _SPEND, {"token": token, "until": until}).rowcount == 1
