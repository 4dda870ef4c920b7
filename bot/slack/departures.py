"""What becomes of a workspace that certdesk cannot work in any more, and of what it was owed: it falls back to support, once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.slack.settings import SlackSettings
from commands import workspaces
from commands.workspace_endings import settle, tell_ending
from services import linking
from services.desk import Desk
from services.model.errors import LeaseLostError
from services.model.workspaces import Workspace, WorkspaceState, placed
from services.ports import Message

_log = structlog.get_logger(__name__)
_A_SECOND = timedelta(seconds=1)


class Departures:
    """Takes note of workspaces that are left. Safe to use from many threads."""

    def __init__(self, settings: SlackSettings, desk: Desk) -> None:
        self._settings, self._desk = settings, desk

    def heard(self, body: Mapping[str, Any]) -> None:
        """Take note of the events app_uninstalled and tokens_revoked. Quick; anything else is passed over.

        Slack sends both, in any order, and perhaps late: what was installed since is left alone.
        """
        event, team = body.get("event"), self._settings.workspace(str(body.get("team_id") or ""))
        if not isinstance(event, Mapping) or not team:
            return
        if event.get("type") == "app_uninstalled":
            self._left(team, WorkspaceState.UNINSTALLED, _time(body))
        elif event.get("type") == "tokens_revoked" and (event.get("tokens") or {}).get("bot"):
            self._left(team, WorkspaceState.REVOKED, _time(body))

    def lost(self, team: str, code: str, asked_at: datetime) -> None:
        """Take note that Slack has refused the token of ``team`` with ``code``, in a call that began at ``asked_at``."""
        _log.warning("slack.token_lost", team=team, error=code)
        self._left(team, WorkspaceState.REVOKED, asked_at)

    def ending(self, workspace: Workspace, now: datetime) -> None:
        """Tell, once, that the token of the workspace works to its end and cannot be renewed."""
        where, link = self._settings.workspace(workspace.team), self._settings.install_url
        with self._desk.storage.write() as tx:
            tell_ending(tx, self._desk, workspace, where, link, now)
        self._desk.wake()

    def fall_back(self, message: Message) -> None:
        """Give what was owed to a channel of a workspace that is gone to support's channel, with a word of why.

        An answer to a person is nobody else's: it is closed. Nothing happens if another worker has claimed it since.
        """
        channel = "" if message.user else linking.support_channel(self._desk.alerting)
        try:
            with self._desk.storage.write() as tx:
                tx.outbox.fall_back(message, channel, placed(message.team, message.channel))
        except LeaseLostError:
            _log.warning("slack.fell_back_late", message=message.id)
            return
        _log.info("slack.fell_back", message=message.id, team=message.team, closed=not channel)
        self._desk.wake()

    def _left(self, team: str, state: WorkspaceState, before: datetime) -> None:
        now = self._desk.clock()
        with self._desk.storage.write() as tx:
            workspace = tx.workspaces.leave(team, state, before)
            if workspace is not None:
                workspaces.tell(tx, self._desk, workspace, now)
                settle(tx, workspace, now)
        if workspace is not None:
            _log.warning("slack.workspace_left", team=team, state=state.value)
            self._desk.wake()


def _time(body: Mapping[str, Any]) -> datetime:
    """Return the end of the second in which an event happened; long ago if it does not say."""
    said = body.get("event_time")
    seconds = said if isinstance(said, int) and 0 <= said < 1 << 33 else 0
    return datetime.fromtimestamp(seconds, UTC) + _A_SECOND
