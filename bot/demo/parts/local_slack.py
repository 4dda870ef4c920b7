"""local-slack: a Slack workspace on this machine, with a page to look at and a control interface (npm, x64 Linux).

It listens on every interface and has no option for one address: use it where the network is trusted. It is lenient:
it checks neither blocks nor lengths nor tokens' scopes.
"""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, free_port, http_ok

PACKAGE = "local-slack-linux-x64"
BOT_USER = "U0CERTDESK"
_TIMEOUT = 30
_USERS = ({"id": "U0AGENT", "name": "ana", "real_name": "Ana Agent"},)
_CHANNELS = ({"id": "C0SUPPORT", "name": "support", "members": ["U0AGENT", BOT_USER]},)

Entry = Mapping[str, Any]  # JSON as Slack and local-slack shape it


@dataclass(frozen=True)
class LocalSlack(Part):
    """A running workspace; `api_url` is for slack_sdk's base_url, `page_url` for a person's browser."""

    api_url: str
    page_url: str
    first_user: str
    first_channel: str
    request_url: str | None
    process: Running

    @classmethod
    def start(  # noqa: PLR0913 - a workspace: an app with its secrets and its way in, people, channels
        cls,
        folder: Path,
        *,
        port: int | None = None,
        request_url: str | None = None,
        signing_secret: str = "local-signing-secret",  # noqa: S107 - known to nobody but this machine
        bot_token: str = "xoxb-local",  # noqa: S107 - as above
        app_token: str = "xapp-local",  # noqa: S107 - as above
        users: Sequence[Entry] = _USERS,
        channels: Sequence[Entry] = _CHANNELS,
        cache: Path = fetch.CACHE,
    ) -> Self:
        """Start a workspace with one app, "certdesk".

        With `request_url` the app gets signed HTTP requests there, without it Socket Mode. Users are
        {"id", "name", "real_name", "email", "tz"}, channels {"id", "name", "is_private", "members"}.
        Slash commands need no list: each is delivered. Raises PartMissing, PartFailed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        port = port or free_port()
        app = {
            "appId": "A0CERTDESK",
            "botUserId": BOT_USER,
            "botName": "certdesk",
            "botToken": bot_token,
            "appToken": app_token,
            "signingSecret": signing_secret,
            **({"mode": "events", "requestUrl": request_url} if request_url else {"mode": "socket"}),
        }
        config = {
            "workspace": {"name": "Moon Support", "domain": "moon-support", "teamId": "T0MOON"},
            "apps": [app],
            "users": list(users),
            "channels": list(channels),
        }
        (folder / "slack.json").write_text(json.dumps(config, indent=1))
        base = f"http://127.0.0.1:{port}"
        words: list[str | Path] = [
            "--config",
            folder / "slack.json",
            "--port",
            str(port),
            "--base-host",
            "127.0.0.1",
        ]
        process = Running.start(
            "local-slack",
            [_program(cache), *words, "--files-dir", folder / "files"],
            log=folder / "slack.log",
            ready=http_ok(f"{base}/_control/state"),
            env=fetch.node_folders(cache),
        )
        return cls(f"{base}/api/", base, str(users[0]["id"]), str(channels[0]["id"]), request_url, process)

    def _post(self, name: str, body: Entry) -> dict[str, Any]:
        answer = requests.post(f"{self.page_url}/_control/{name}", json=body, timeout=_TIMEOUT)
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said

    def _get(self, name: str) -> dict[str, Any]:
        answer = requests.get(f"{self.page_url}/_control/{name}", timeout=_TIMEOUT)
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said

    def command(
        self, text: str, user: str | None = None, channel: str | None = None, command: str = "/ssl"
    ) -> None:
        """Type `command` `text` as that user in that channel; returns when the app has acked."""
        who, where = user or self.first_user, channel or self.first_channel
        self._post("command", {"command": command, "text": text, "user": who, "channel": where})

    def say(self, text: str, user: str | None = None, channel: str | None = None) -> dict[str, Any]:
        """Write a message as that user; the message as stored."""
        where = channel or self.first_channel
        message: dict[str, Any] = self._post(
            "message", {"text": text, "user": user or self.first_user, "channel": where}
        )["message"]
        return message

    def interact(self, channel: str, message_ts: str, action: Entry, user: str | None = None) -> None:
        """Use an element of a message: `action` is {"type", "action_id", "block_id", "value" or the like}."""
        body = {
            "channel": channel,
            "messageTs": message_ts,
            "user": user or self.first_user,
            "action": action,
        }
        self._post("interact", body)

    def open_home(self, user: str | None = None) -> None:
        """Open the app's Home tab as that user."""
        self._post("open-home", {"user": user or self.first_user})

    def messages(self, channel: str | None = None) -> list[dict[str, Any]]:
        """Return what stands in a channel, oldest first."""
        found: list[dict[str, Any]] = self._get(f"messages/{channel or self.first_channel}")["messages"]
        return found

    def log(self) -> list[dict[str, Any]]:
        """Return what went to the app and came from it, in order."""
        entries: list[dict[str, Any]] = self._get("log")["log"]
        return entries

    def reset(self) -> None:
        """Forget every message."""
        self._post("reset", {})

    def stop(self) -> None:
        """End it."""
        self.process.stop()


def _program(cache: Path) -> Path:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        remedy = "use a Slack workspace, or x64 Linux"
        raise PartMissing("local-slack", "it is packaged for x64 Linux only", remedy)
    found = fetch.npm(PACKAGE, cache) / "bin" / "local-slack"
    found.chmod(0o755)
    return found
