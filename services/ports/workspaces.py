"""Port: the Slack workspaces in which certdesk is installed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.model.workspaces import Workspace, WorkspaceState


class Workspaces(Protocol):
    """Installations, one for each workspace; none is ever forgotten."""

    def get(self, team: str) -> Workspace | None:
        """Return the workspace with this id, whatever its state, or None."""
        ...

    def all(self) -> Sequence[Workspace]:
        """Return every workspace, sorted by id."""
        ...

    def install(self, workspace: Workspace) -> Workspace:
        """Insert, or replace a former installation; return what is stored then.

        Its generation is one more than before, and its alert_channel stays what it was.
        """
        ...

    def renew(self, workspace: Workspace) -> bool:
        """Save new tokens and their end, if ``workspace.generation`` is still the stored one and it is active.

        The stored generation then grows by one. False, and nothing changed, otherwise.
        """
        ...

    def leave(self, team: str, state: WorkspaceState, before: datetime) -> Workspace | None:
        """Set the state of an active workspace that was installed before ``before``; return it as it is then.

        None, and nothing changed, for one that is not active, was installed since, or is not known. Of two that do it at
        once one is told.
        """
        ...

    def tell_in(self, team: str, channel: str) -> Workspace | None:
        """Choose the workspace's alert_channel (empty: none), whatever its state; return it as it was before.

        None, and nothing changed, for one that is not known.
        """
        ...

    def expiring(self, before: datetime) -> Sequence[Workspace]:
        """Return active workspaces with a refresh token whose token ends before this moment, the earliest first."""
        ...

    def spend(self, token: str, until: datetime, now: datetime) -> bool:
        """Use up something that is good for one time, known by ``token``; False if that was done before.

        It is remembered until ``until``, by when it must be no good any more. Those that have ended are forgotten.
        """
        ...
