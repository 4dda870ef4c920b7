"""Renews tokens that end (Slack's token rotation: after 12 hours), in time, by one worker at a time, each pair saved at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.slack.clients import posting_client
from bot.slack.departures import Departures
from bot.slack.errors import CALL_ERRORS, read_error
from bot.slack.installing import sealed
from bot.slack.settings import SlackSettings
from services.model.errors import VaultError
from services.model.workspaces import Workspace
from services.ports import Storage, Vault

_log = structlog.get_logger(__name__)
DUTY = "rotation"
SECONDS = 30.0
"""How often it is seen to."""
AHEAD = timedelta(hours=2)
"""How long before its end a token is renewed: Slack may be away for so long."""
LASTS = timedelta(minutes=2)
"""How long a worker that renews is waited for: longer than a call may take."""
AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10))
"""Waiting time after the first, second … failure that passes by itself; the last one repeats."""
DEAD = frozenset({"invalid_refresh_token", "invalid_grant", "token_revoked", "account_inactive"})
"""What Slack's oauth.v2.access says of a refresh token that is good no more (docs: using token rotation)."""


class Rotation:
    """Call `tick` from one thread of each worker; which of them renews is agreed in the database."""

    def __init__(
        self, settings: SlackSettings, storage: Storage, vault: Vault, departures: Departures
    ) -> None:
        # never repeated by itself: each refresh token is good for one time
        self._client = posting_client(SlackSettings(api_url=settings.api_url))
        self._settings, self._storage, self._vault = settings, storage, vault
        self._departures = departures
        self._failed: dict[str, tuple[int, datetime]] = {}

    def tick(self, worker: str, now: datetime) -> None:
        """Renew the tokens that end soon, if ``worker`` is the one. Raises DatabaseUnavailableError."""
        with self._storage.read() as tx:
            due = tx.workspaces.expiring(now + AHEAD)
        for workspace in due:
            _, again = self._failed.get(workspace.team, (0, now))
            if again <= now and self._storage.lead(DUTY, worker, now, LASTS):
                self._renew(workspace.team, now)

    def _renew(self, team: str, now: datetime) -> None:
        with self._storage.read() as tx:  # again: the worker before may just have renewed it
            workspace = tx.workspaces.get(team)
        if workspace is None or not workspace.active or workspace.sealed_refresh is None:
            return
        if workspace.expires_at is None or workspace.expires_at >= now + AHEAD:
            return
        try:
            granted = self._granted(workspace)
        except CALL_ERRORS as error:
            self._refused(workspace, read_error(error).code, now)
        except VaultError as error:
            self._later(workspace, str(error), now)
        else:
            self._save(workspace, granted, now)

    def _granted(self, workspace: Workspace) -> Mapping[str, Any]:
        refresh = self._vault.open(workspace.sealed_refresh or b"", workspace.refresh_binding).decode()
        answer = self._client.oauth_v2_access(
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret,
            grant_type="refresh_token",
            refresh_token=refresh,
        )
        return answer.data if isinstance(answer.data, dict) else {}

    def _save(self, workspace: Workspace, granted: Mapping[str, Any], now: datetime) -> None:
        if not granted.get("access_token"):
            self._later(workspace, "no token in the answer", now)
            return
        renewed = sealed(self._vault, workspace, granted, now)
        with self._storage.write() as tx:
            saved = tx.workspaces.renew(renewed)
        self._failed.pop(workspace.team, None)
        _log.info("slack.token_renewed", team=workspace.team, saved=saved)

    def _refused(self, workspace: Workspace, code: str, now: datetime) -> None:
        if code in DEAD:
            self._failed.pop(workspace.team, None)
            self._departures.lost(workspace.team, code, now)
        else:
            self._later(workspace, code, now)

    def _later(self, workspace: Workspace, why: str, now: datetime) -> None:
        count, _ = self._failed.get(workspace.team, (0, now))
        self._failed[workspace.team] = (count + 1, now + AGAIN[min(count, len(AGAIN) - 1)])
        _log.warning(
            "slack.token_not_renewed", team=workspace.team, error=why, ends=str(workspace.expires_at)
        )
