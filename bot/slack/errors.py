"""What Slack's Web API says when it says no, as plain facts; the SDK has three shapes for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

CALL_ERRORS = (SlackClientError, HTTPException, OSError)
"""What a Web API call may raise: Slack's no, a broken answer, no connection (URLError and time-outs are OSErrors)."""


@dataclass(frozen=True, slots=True)
class CallError:
    """Why a call failed."""

    code: str
    """Slack's error code such as not_in_channel; ``http_503``, or the exception's name, where Slack gave none."""
    status: int | None = None
    """The HTTP status; None if there was no answer."""
    retry_after: int | None = None
    """Seconds that Slack asks to wait (429)."""


def read_error(error: Exception) -> CallError:
    """Return the facts of what a Web API call raised. Tokens and message texts are never part of them."""
    if not isinstance(error, SlackApiError):
        return CallError(type(error).__name__)
    response = error.response
    if isinstance(response, SlackResponse):
        status, headers, code = response.status_code, response.headers, response.get("error")
    else:  # the answer was no JSON: the SDK then hands over its raw parts
        status, headers, code = int(response["status"]), response["headers"], None
    return CallError(str(code or f"http_{status}"), status, _seconds(headers) if status == 429 else None)


def _seconds(headers: Mapping[str, str]) -> int:
    """Return Retry-After as seconds, 1 to 3600; 30 if it is missing or no number."""
    given = str(next((value for name, value in headers.items() if name.lower() == "retry-after"), ""))
    return min(max(int(given), 1), 3600) if given.isascii() and given.isdigit() else 30
