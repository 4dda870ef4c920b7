"""The Slack workspaces in which certdesk is installed, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.model.clock import aware
from services.model.workspaces import Workspace, WorkspaceState
from storage import records
from storage.memory.tables import MemoryRepository
from storage.records.coding import storable


class MemoryWorkspaces(MemoryRepository):
    """`services.ports.Workspaces`."""

    __slots__ = ()

    def get(self, team: str) -> Workspace | None:
        """Return the workspace with this id, whatever its state, or None."""
        return self._tables.workspaces.get(team)

    def all(self) -> Sequence[Workspace]:
        """Return every workspace, sorted by id."""
        return sorted(self._tables.workspaces.values(), key=lambda row: row.team)

    def install(self, workspace: Workspace) -> Workspace:
        """Insert, or replace a former installation; return what is stored then."""
        kept = records.workspace(records.settled(records.workspace_values(workspace)))
        former = self.get(workspace.team)
        if former is None:
            return self._put(kept)
        again = replace(kept, generation=former.generation + 1, alert_channel=former.alert_channel)
        return self._put(again)

    def renew(self, workspace: Workspace) -> bool:
        """Save new tokens and their end, if the generation is still the stored one and it is active."""
        stored = self.get(workspace.team)
        if stored is None or not stored.active or stored.generation != workspace.generation:
            return False
        new = records.workspace(records.settled(records.workspace_values(workspace)))
        tokens = replace(stored, sealed_token=new.sealed_token, sealed_refresh=new.sealed_refresh)
        self._put(replace(tokens, expires_at=new.expires_at, generation=stored.generation + 1))
        return True

    def leave(self, team: str, state: WorkspaceState, before: datetime) -> Workspace | None:
        """Set the state of an active workspace that was installed before ``before``; return it as it is then."""
        stored = self.get(team)
        if stored is None or not stored.active or stored.installed_at >= aware(before):
            return None
        return self._put(replace(stored, state=state))

    def tell_in(self, team: str, channel: str) -> Workspace | None:
        """Choose the workspace's alert_channel (empty: none), whatever its state; return it as it was before."""
        before = self.get(team)
        if before is not None:
            self._put(replace(before, alert_channel=storable(channel)))
        return before

    def expiring(self, before: datetime) -> Sequence[Workspace]:
        """Return active workspaces with a refresh token whose token ends before this moment, the earliest first."""
        found = [
            (row.expires_at, row.team, row)
            for row in self._tables.workspaces.values()
            if row.active and row.sealed_refresh is not None and row.expires_at is not None
        ]
        return [row for ends, _, row in sorted(found, key=lambda one: one[:2]) if ends < aware(before)]

    def spend(self, token: str, until: datetime, now: datetime) -> bool:
        """Use up something that is good for one time, known by ``token``; False if that was done before."""
        self._view.own("spent")
        spent = self._tables.spent
        for ended in [key for key, end in spent.items() if end <= aware(now)]:
            del spent[ended]
        if token in spent:
            return False
        spent[token] = aware(until)
        return True

    def _put(self, workspace: Workspace) -> Workspace:
        self._view.own("workspaces")
        self._tables.workspaces[workspace.team] = workspace
        return workspace
