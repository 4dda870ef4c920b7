"""The door for Slack's HTTP requests: a request that Slack did not sign is refused before a byte of it is parsed."""

from typing import Protocol

import structlog
from slack_bolt import App, BoltRequest, BoltResponse

from bot.slack.signature import refusal
from services.model.clock import Clock

_log = structlog.get_logger(__name__)
_PASSED_ON = ("content-type", "x-slack-retry-num", "x-slack-retry-reason")
"""Headers that Bolt sees: headers are not covered by the signature, and others would steer it."""


class Headers(Protocol):
    """HTTP headers, looked up without regard to case."""

    def get(self, name: str, default: str, /) -> str:
        """Return the header's value, or ``default`` if it is missing."""
        ...


class SlackDoor:
    """Verifies requests and hands them to Bolt. Safe to use from many threads."""

    def __init__(self, app: App, signing_secret: str, clock: Clock) -> None:
        self._app, self._secret, self._clock = app, signing_secret, clock

    def answer(self, body: bytes, headers: Headers) -> BoltResponse:
        """Return Bolt's answer; 401 with nothing in it for what is unsigned, forged or old, 400 for what is no request.

        Never raises for what a stranger sends.
        """
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        refused = refusal(self._secret, timestamp, headers.get("X-Slack-Signature", ""), body, self._clock())
        if refused:
            _log.warning("slack.request_refused", reason=refused.value, size=len(body))
            return BoltResponse(status=401, body="")
        passed = {name: headers.get(name, "") for name in _PASSED_ON}
        try:
            request = BoltRequest(body=body.decode("utf-8", "replace"), headers={**passed})
        except ValueError:  # signed, but its JSON is broken
            _log.warning("slack.request_unreadable", size=len(body))
            return BoltResponse(status=400, body="")
        return self._app.dispatch(request)
