"""Renews tokens that end (Slack's token rotation: after 12 hours), in time, by one worker at a time, each pair saved at once.

A refresh token is good for one time: Slack revokes it "after a short grace period" once it was used, and the token that it was
used for works on to its end (docs: using token rotation). So the row keeps the old pair until the new one is written. Who dies
between Slack's answer and the write leaves a refresh token that still works for that short while: the next worker asks with
it again, within `LASTS` and `SECONDS`. Should the grace be over by then, the present token has hours left (`AHEAD`), in which
certdesk can be installed again without a loss.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.slack.clients import posting_client
from bot.slack.delivery import LOST
from bot.slack.departures import Departures
from bot.slack.errors import CALL_ERRORS, read_error
from bot.slack.installing import sealed
from bot.slack.settings import SlackSettings
from commands.workspace_endings import settle
from services.model.errors import VaultError
from services.model.workspaces import Workspace
from services.ports import Storage, Vault

_log = structlog.get_logger(__name__)
DUTY = "rotation"
SECONDS = 10.0
"""How often it is seen to: a renewal that was cut off is soon made again."""
AHEAD = timedelta(hours=6)
"""How long before its end a token is renewed, half of its life: for so long Slack may be away, or people may have to act."""
LASTS = timedelta(seconds=30)
"""How long a worker that renews is waited for: longer than a call takes, and no longer, for Slack's grace is short."""
AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10))
"""Waiting time after the first, second … failure that passes by itself; the last one repeats."""
DEAD = frozenset(
    {"invalid_refresh_token", "invalid_grant", "token_revoked", "token_expired", "account_inactive"}
)
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
        self._unsaved: dict[str, Workspace] = {}
        """What Slack has given and the database has not taken yet."""

    def tick(self, worker: str, now: datetime) -> None:
        """Renew the tokens that end soon, if ``worker`` is the one. Raises DatabaseUnavailableError.

        What could not be written then is kept, and written first when this is called again.
        """
        for renewed in tuple(self._unsaved.values()):
            self._save(renewed, now)
        with self._storage.read() as tx:
            due = tx.workspaces.expiring(now + AHEAD)
        for workspace in due:
            _, again = self._failed.get(workspace.team, (0, now))
            if again <= now and self._storage.lead(DUTY, worker, now, LASTS):
                self._renew(workspace.team, now)

    def _renew(self, team: str, now: datetime) -> None:
        workspace = self._stored(team)  # again: the worker before may just have renewed it
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
            self._take(workspace, granted, now)

    def _stored(self, team: str) -> Workspace | None:
        with self._storage.read() as tx:
            return tx.workspaces.get(team)

    def _granted(self, workspace: Workspace) -> Mapping[str, Any]:
        refresh = self._vault.open(workspace.sealed_refresh or b"", workspace.refresh_binding).decode()
        answer = self._client.oauth_v2_access(
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret,
            grant_type="refresh_token",
            refresh_token=refresh,
        )
        return answer.data if isinstance(answer.data, dict) else {}

    def _take(self, workspace: Workspace, granted: Mapping[str, Any], now: datetime) -> None:
        if not granted.get("access_token"):
            self._later(workspace, "no token in the answer", now)
            return
        renewed = sealed(self._vault, workspace, granted, now)
        self._unsaved[workspace.team] = renewed
        self._save(renewed, now)

    def _save(self, renewed: Workspace, now: datetime) -> None:
        """Write a pair, unless another one was written since; who cannot keeps it."""
        with self._storage.write() as tx:
            saved = tx.workspaces.renew(renewed)
            if saved:
                settle(tx, renewed, now)
        self._unsaved.pop(renewed.team, None)
        self._failed.pop(renewed.team, None)
        _log.info("slack.token_renewed", team=renewed.team, saved=saved)

    def _refused(self, workspace: Workspace, code: str, now: datetime) -> None:
        if code not in DEAD:
            self._later(workspace, code, now)
            return
        stored = self._stored(workspace.team)
        if stored is None or stored.generation != workspace.generation:
            return  # another worker has used the refresh token, and written what it got
        if workspace.expires_at is not None and workspace.expires_at > now and self._works(workspace):
            self._later(workspace, code, now)
            self._departures.ending(workspace, now)
            return
        self._failed.pop(workspace.team, None)
        self._departures.lost(workspace.team, code, now)

    def _works(self, workspace: Workspace) -> bool:
        """Tell whether the present token still works; one that Slack does not answer about does, as far as is known."""
        try:
            token = self._vault.open(workspace.sealed_token, workspace.token_binding).decode()
            self._client.auth_test(token=token)
        except VaultError:
            return False
        except CALL_ERRORS as error:
            return read_error(error).code not in LOST | {"token_expired"}
        return True

    def _later(self, workspace: Workspace, why: str, now: datetime) -> None:
        count, _ = self._failed.get(workspace.team, (0, now))
        self._failed[workspace.team] = (count + 1, now + AGAIN[min(count, len(AGAIN) - 1)])
        _log.warning(
            "slack.token_not_renewed", team=workspace.team, error=why, ends=str(workspace.expires_at)
        )
