"""minutehand: a Slack that keeps Slack's rules, with several workspaces, behind a proxy (PyPI, Python 3.12 or newer).

It refuses what Slack refuses (51 blocks, a channel of another workspace), fails on purpose when it is told to, and pushes
signed commands and clicks. What calls it needs its proxy and its CA: `environment`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from bot.demo.parts import fetch
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, free_port, http_ok
from bot.demo.parts.python_environment import environment

LOCK = Path(__file__).with_name("minutehand") / "requirements.lock"
_TIMEOUT = 30
_MAIN = "import sys; from minutehand.cli import main; sys.exit(main())"
SIGNING_SECRET = "minutehand-signing-secret"  # noqa: S105 - known to nobody but this machine


@dataclass(frozen=True)
class Minutehand(Part):
    """A running server with one world."""

    process: Running
    control: str
    proxy: str
    ca: Path
    world: str

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        people: Sequence[Mapping[str, Any]],
        channels: Sequence[Mapping[str, Any]],
        workspaces: Sequence[Mapping[str, Any]],
        request_url: str,
        cache: Path = fetch.CACHE,
    ) -> Self:
        """Start a world in minutehand's own shapes (its seed); pushes go to ``request_url``, signed with SIGNING_SECRET.

        Raises PartMissing, PartFailed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        proxy, control = free_port(), free_port()
        base = f"http://127.0.0.1:{control}/v1"
        python = environment("minutehand", LOCK, cache)
        words: list[str | Path] = [
            *(*python.words, "-c", _MAIN, "serve"),
            "--no-receive-telemetry",
            *("--proxy-port", str(proxy), "--control-port", str(control), "--state", folder / "state"),
        ]
        process = Running.start(
            "minutehand",
            words,
            log=folder / "minutehand.log",
            ready=http_ok(f"{base}/health"),
            cwd=folder,
            env=python.variables,
        )
        ca = folder / "ca.pem"
        ca.write_text(_got(requests.get(f"{base}/ca.pem", timeout=_TIMEOUT)).text)
        seed = {
            "name": "certdesk",
            "people": list(people),
            "channels": [{"provider": "slack", **channel} for channel in channels],
            "provider_seeds": [{"provider": "slack", "body": {"workspaces": list(workspaces)}}],
        }
        tokens = [token for workspace in workspaces for token in workspace["tokens"]]
        asked = {
            "seed": seed,
            "claims": {"tokens": tokens, "default": True},
            "inbound": [{"provider": "slack", "url": request_url, "secret": SIGNING_SECRET}],
        }
        opened = _got(requests.post(f"{base}/worlds", json=asked, timeout=_TIMEOUT)).json()
        return cls(process, base, f"http://127.0.0.1:{proxy}", ca, str(opened["world_id"]))

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables with which a program's calls to Slack come here."""
        return {"HTTPS_PROXY": self.proxy, "SSL_CERT_FILE": str(self.ca)}

    def fail(self, method: str, answer: Mapping[str, Any], times: int = 1) -> None:
        """Have the next calls of a method fail: {"kind": "rate_limited", "retry_after": …} or {"kind": "refused", "error": …}."""
        faults = {"faults": [{"call": method, "answer": dict(answer), "times": times}]}
        self._post("provider-faults", {"provider": "slack", "seed": json.dumps(faults)})

    def command(self, person: str, command: str, text: str, channel: str) -> None:
        """Let a person type a slash command in a channel; it is pushed signed."""
        happening = {"kind": "commands", "provider": "slack", "person": person, "command": command}
        self._act({**happening, "text": text, "channel": channel})

    def _act(self, happening: Mapping[str, Any]) -> None:
        self._post("act", {"act": {"kind": "happen", "happening": happening}})

    def _post(self, what: str, body: Mapping[str, Any]) -> None:
        _got(requests.post(f"{self.control}/worlds/{self.world}/{what}", json=body, timeout=_TIMEOUT))

    def stop(self) -> None:
        """End it."""
        self.process.stop()


def _got(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        raise ValueError(f"minutehand: {answer.status_code} {answer.text[:300]}")
    return answer
