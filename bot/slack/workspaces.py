"""Web API clients for every workspace in which certdesk is installed; each call takes the token that is good just then."""

import threading
from collections.abc import Callable

from slack_sdk.errors import SlackClientError
from slack_sdk.http_retry import RetryHandler
from slack_sdk.web import WebClient

from bot.slack.clients import TIMEOUT, asking_client, asking_retries, posting_client, wire_logger
from bot.slack.settings import SlackSettings
from services.model.errors import VaultError
from services.model.workspaces import HOME, Workspace
from services.ports import Storage, Vault

ByWorkspace = Callable[[str], WebClient]
"""From a workspace (HOME for the support workspace) to the client that calls there."""


class WorkspaceGoneError(SlackClientError):
    """certdesk is not installed in the workspace (any more); no call was made."""


class TokenUnreadableError(SlackClientError):
    """The vault does not open the workspace's token; no call was made."""


def alone(client: WebClient) -> ByWorkspace:
    """Return ``client`` for every workspace: there is one."""
    return lambda _team: client


class Clients:
    """Asking and posting clients by workspace. Safe to use from many threads."""

    def __init__(self, settings: SlackSettings, storage: Storage, vault: Vault) -> None:
        """Take tokens of other workspaces, and the support workspace's where `settings` have none, from ``storage``."""
        self._settings, self._tokens = settings, Tokens(storage, vault)
        self._lock = threading.Lock()
        self._made: dict[tuple[str, bool], WebClient] = {}

    def asking(self, team: str = HOME) -> WebClient:
        """Return the client for look-ups (see `bot.slack.clients.asking_client`). The same one each time."""
        return self._client(team, asks=True)

    def posting(self, team: str = HOME) -> WebClient:
        """Return the client that never repeats a call by itself. The same one each time."""
        return self._client(team, asks=False)

    def _client(self, team: str, *, asks: bool) -> WebClient:
        with self._lock:
            made = self._made.get((team, asks))
            if made is None:
                made = self._made[team, asks] = self._make(team, asks=asks)
            return made

    def _make(self, team: str, *, asks: bool) -> WebClient:
        if team == HOME and self._settings.bot_token:
            return asking_client(self._settings) if asks else posting_client(self._settings)
        there = team or self._settings.team
        retries = asking_retries() if asks else []
        return _Rotating(self._settings.api_url, retries, lambda: self._tokens.of(there))


class Tokens:
    """The bot's tokens of workspaces, opened once for each generation. Safe to use from many threads."""

    def __init__(self, storage: Storage, vault: Vault) -> None:
        self._storage, self._vault = storage, vault
        self._opened: dict[str, tuple[Workspace, str]] = {}

    def of(self, team: str) -> str:
        """Return the token that is good now.

        Raises WorkspaceGoneError if certdesk is not installed there, and TokenUnreadableError if the vault refuses.
        """
        with self._storage.read() as tx:
            workspace = tx.workspaces.get(team)
        if workspace is None or not workspace.active:
            raise WorkspaceGoneError(f"certdesk is not installed in the workspace {team}")
        known, token = self._opened.get(team, (None, ""))
        if known is not None and known.sealed_token == workspace.sealed_token:
            return token
        try:
            token = self._vault.open(workspace.sealed_token, workspace.token_binding).decode()
        except VaultError as error:
            raise TokenUnreadableError(str(error)) from error
        self._opened[team] = (workspace, token)
        return token


class _Rotating(WebClient):
    """A client whose token is looked up at each call."""

    def __init__(self, base_url: str, retries: list[RetryHandler], read: Callable[[], str]) -> None:
        self._read = read
        super().__init__(base_url=base_url, timeout=TIMEOUT, retry_handlers=retries, logger=wire_logger())

    @property
    def token(self) -> str | None:
        """The token for the call that is being made."""
        return self._read()

    @token.setter
    def token(self, value: str | None) -> None:
        """Take no token: the SDK sets one when it makes a client."""
