"""Installs certdesk in further workspaces by Slack's OAuth v2: off to Slack with a state, back with a code, a token into the vault.

The state is sealed by the vault, runs out, is good for one time, and belongs to one browser, which has a cookie to show
for it (RFC 6749 §10.12). With PKCE (RFC 7636), which Slack offers to apps that switch it on, the code is of no use
without that cookie either. What Slack answers is looked at and never shown or logged as a whole: it holds tokens.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin

import structlog
from slack_sdk.web import WebClient

from bot.slack.clients import asking_client
from bot.slack.errors import CALL_ERRORS, read_error
from bot.slack.manifest import BOT_SCOPES
from bot.slack.settings import SlackSettings
from commands import audit, workspaces
from commands.caller import Caller, Role
from commands.reply import Deed
from commands.workspace_endings import settle
from services.desk import Desk
from services.model.audit import DONE
from services.model.clock import Clock
from services.model.errors import CertdeskError, VaultError
from services.model.text import Text, say
from services.model.workspaces import Workspace
from services.ports import Vault

_log = structlog.get_logger(__name__)
LASTS = timedelta(minutes=10)
"""How long the way to Slack and back may take: as long as Slack's code is good."""
_BINDING = "slack:install:state"
_NONCE, _TIME = 16, 8


class InstallRefusedError(CertdeskError):
    """Nothing was installed; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the cookie that it brings back."""

    url: str
    cookie: str = field(repr=False)


class Installer:
    """Safe to use from many threads and processes: all of them share the vault's key and the database."""

    def __init__(self, settings: SlackSettings, desk: Desk, vault: Vault, clock: Clock) -> None:
        self._settings, self._desk, self._vault, self._clock = settings, desk, vault, clock
        anonymous = SlackSettings(api_url=settings.api_url)
        self._client: WebClient = asking_client(anonymous)

    @property
    def secure(self) -> bool:
        """Whether the browser comes by https, so that the cookie goes by nothing else."""
        return self._settings.redirect_url.startswith("https://")

    def begin(self) -> Begun:
        """Return where to send a browser that wants to install certdesk. Nothing is kept of it here."""
        cookie = secrets.token_urlsafe(32)
        ends = int((self._clock() + LASTS).timestamp())
        plain = secrets.token_bytes(_NONCE) + ends.to_bytes(_TIME, "big") + _digest(cookie)
        asked = {
            "client_id": self._settings.client_id,
            "scope": ",".join(BOT_SCOPES),
            "redirect_uri": self._settings.redirect_url,
            "state": _base64(self._vault.seal(plain, _BINDING)),
        }
        if self._settings.pkce:
            challenge = _base64(hashlib.sha256(_verifier(cookie).encode()).digest())
            asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        return Begun(f"{urljoin(self._settings.api_url, '/oauth/v2/authorize')}?{urlencode(asked)}", cookie)

    def finish(self, query: Mapping[str, str], cookie: str) -> Workspace:
        """Take what Slack's redirect brings back, and return the workspace as it is installed.

        Raises InstallRefusedError, after which nothing is changed but that the state is used up.
        """
        self._spend(query.get("state", ""), cookie)
        if query.get("error") == "access_denied":
            raise InstallRefusedError(say("Nothing was installed: it was cancelled at Slack."))
        code = query.get("code", "")
        if not code:
            raise InstallRefusedError(_stale())
        granted = self._exchange(code, cookie)
        workspace = self._read(granted)
        return self._save(workspace)

    def _spend(self, state: str, cookie: str) -> None:
        """Use up the state. Raises InstallRefusedError if it is not ours, not this browser's, old, or used up."""
        now = self._clock()
        try:
            plain = self._vault.open(_unbase64(state), _BINDING)
        except (VaultError, ValueError):
            raise InstallRefusedError(_stale()) from None
        ends = datetime.fromtimestamp(int.from_bytes(plain[_NONCE : _NONCE + _TIME], "big"), now.tzinfo)
        ours = bool(cookie) and hmac.compare_digest(plain[_NONCE + _TIME :], _digest(cookie))
        if not ours or ends <= now:
            raise InstallRefusedError(_stale())
        with self._desk.storage.write() as tx:
            fresh = tx.workspaces.spend(hashlib.sha256(plain).hexdigest(), ends, now)
        if not fresh:
            raise InstallRefusedError(_stale())

    def _exchange(self, code: str, cookie: str) -> Mapping[str, Any]:
        verifier = {"code_verifier": _verifier(cookie)} if self._settings.pkce else {}
        try:
            answer = self._client.oauth_v2_access(
                client_id=self._settings.client_id,
                client_secret=self._settings.client_secret,
                code=code,
                redirect_uri=self._settings.redirect_url,
                **verifier,
            )
        except CALL_ERRORS as error:
            why = read_error(error).code
            _log.warning("slack.install_failed", error=why)
            text = "Nothing was installed: Slack did not give certdesk a token ({why}). Please begin again; if it fails again, tell the platform's support."
            raise InstallRefusedError(say(text, why=why)) from None
        return answer.data if isinstance(answer.data, dict) else {}

    def _read(self, granted: Mapping[str, Any]) -> Workspace:
        """Return the installation that Slack's answer describes, sealed."""
        team, person = granted.get("team") or {}, granted.get("authed_user") or {}
        token, missing = str(granted.get("access_token") or ""), _missing(granted)
        if granted.get("is_enterprise_install") or not team.get("id"):
            text = "Nothing was installed: certdesk is installed in single workspaces, and not in a whole organisation. Please begin again and choose a workspace."
            raise InstallRefusedError(say(text))
        if granted.get("token_type") != "bot" or not token or missing:
            text = "Nothing was installed: Slack did not grant everything that certdesk needs. Missing: {missing}. Please begin again."
            raise InstallRefusedError(say(text, missing=missing or ("bot",)))
        now, id_ = self._clock(), str(team["id"])
        bare = Workspace(
            team=id_,
            enterprise=str((granted.get("enterprise") or {}).get("id") or ""),
            name=str(team.get("name") or ""),
            bot_user=str(granted.get("bot_user_id") or ""),
            sealed_token=b"",
            installed_by=f"{id_}/{person.get('id') or ''}",
            installed_at=now,
        )
        return sealed(self._vault, bare, granted, now)

    def _save(self, workspace: Workspace) -> Workspace:
        now = self._clock()
        caller = Caller(workspace.installed_by, Role.NOBODY)
        with self._desk.storage.write() as tx:
            stored = tx.workspaces.install(workspace)
            workspaces.tell(tx, self._desk, stored, now)
            settle(tx, stored, now)
            tx.audit.append(audit.entry(Deed("install", workspace.team, DONE), caller, now))
        self._desk.wake()
        _log.info("slack.installed", team=stored.team, generation=stored.generation)
        return stored


def sealed(vault: Vault, workspace: Workspace, granted: Mapping[str, Any], now: datetime) -> Workspace:
    """Return the workspace with the tokens of Slack's answer (oauth.v2.access), sealed for its row.

    Raises KeyError if there is no token in it.
    """
    refresh, seconds = str(granted.get("refresh_token") or ""), granted.get("expires_in")
    return replace(
        workspace,
        sealed_token=vault.seal(str(granted["access_token"]).encode(), workspace.token_binding),
        sealed_refresh=vault.seal(refresh.encode(), workspace.refresh_binding) if refresh else None,
        expires_at=now + timedelta(seconds=int(seconds)) if refresh and seconds else None,
    )


def _missing(granted: Mapping[str, Any]) -> tuple[str, ...]:
    scopes = str(granted.get("scope") or "").split(",")
    return tuple(scope for scope in BOT_SCOPES if scope not in scopes)


def _stale() -> Text:
    return say(
        "Nothing was installed: this link is used up, has run out, or was begun in another browser. Please begin again,"
        " in one browser, and within {minutes} minutes.",
        minutes=int(LASTS.total_seconds() // 60),
    )


def _digest(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


def _verifier(cookie: str) -> str:
    """Return PKCE's code_verifier: 43 characters that nobody has who does not have the cookie (RFC 7636 §4.1)."""
    return _base64(hashlib.sha256(b"certdesk pkce " + cookie.encode()).digest())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _unbase64(text: str) -> bytes:
    if not text.isascii() or len(text) > 1000:
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
