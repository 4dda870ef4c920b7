"""The Bolt app: a listener writes one row, wakes the workers and acknowledges; there is no logic here."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import structlog
from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
from slack_bolt.request.internals import build_context

from bot.slack.clients import asking_client, wire_logger
from bot.slack.escape import mrkdwn
from bot.slack.settings import SlackSettings
from services.model.clock import Clock
from services.model.identity import new_id
from services.model.text import say
from services.ports import Request, Storage

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes commands in: one insert each, so that Slack has its acknowledgement at once."""

    storage: Storage
    clock: Clock
    wake: Callable[[], None]
    """Tells the workers of this process that a request waits."""

    def take(self, body: Mapping[str, Any]) -> bool:
        """Write the slash command down; False, and nothing changed, if it came before (the same trigger_id).

        Raises KeyError if the body is not a slash command's, and whatever the storage raises.
        """
        team, user = sender(body)
        request = Request(
            id=new_id("req"),
            dedupe=str(body["trigger_id"]),
            team=team,
            user=user,
            channel=str(body["channel_id"]),
            text=storable(str(body.get("text") or "")),
            created_at=self.clock(),
        )
        with self.storage.write() as transaction:
            added = transaction.requests.add(request)
        if added:
            self.wake()
        return added


def sender(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return (team id, user id) of the person who acted.

    Buttons and modals name the person's own team inside ``user``; the outer ``team`` is the workspace where it
    happened, which for a person of another workspace in a shared channel is not theirs. Slash commands are flat.
    """
    user = body.get("user")
    if isinstance(user, Mapping):
        return str(user.get("team_id") or ""), str(user["id"])
    return str(body.get("team_id") or ""), str(body["user_id"])


def storable(text: str) -> str:
    """Return ``text`` without what a database refuses: NUL characters and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def make_app(settings: SlackSettings, intake: Intake) -> App:
    """Return the Bolt app. It does not verify signatures: in HTTP mode it stands behind `bot.slack.http.SlackDoor`."""
    app = App(
        name="certdesk",
        logger=wire_logger(),
        client=asking_client(SlackSettings(api_url=settings.api_url)),
        authorize=_OneWorkspace(settings.bot_token),
        before_authorize=restore_body,
        process_before_response=True,  # the answer leaves when the listener returns: no polling, no thread pool
        token_verification_enabled=False,
        request_verification_enabled=False,
    )

    def take_command(ack: Ack, body: dict[str, Any]) -> None:
        intake.take(body)
        ack()

    app.command(settings.command)(take_command)
    app.error(apologise)
    return app


def restore_body(req: BoltRequest, next: Callable[[], None]) -> None:  # noqa: A002 - Bolt injects by this name
    """Parse the form that Bolt left empty: it takes any body with the word ``payload`` in it for a button's.

    Without this ``/ssl add payload.example.com`` would be lost (slack_bolt.request.internals.parse_body).
    """
    if not req.body and req.raw_body and req.content_type == "application/x-www-form-urlencoded":
        req.body = dict(parse_qsl(req.raw_body, keep_blank_values=True))
        build_context(req.context, req.body)
    next()


def apologise(error: Exception) -> BoltResponse:
    """Log the error under a short id and answer, for the asker's eyes alone, with a sentence that names the id."""
    error_id = secrets.token_hex(4)
    _log.error("slack.request_failed", error_id=error_id, exc_info=error)
    sentence = say(
        "certdesk could not take this in, and nothing was changed. Please try again; if it fails again, tell the "
        "on-call engineer the error id {error_id}.",
        error_id=error_id,
    )
    return BoltResponse(status=200, body={"response_type": "ephemeral", "text": mrkdwn(sentence)})


class _OneWorkspace(Authorize):
    """Answers Bolt's question whose token to use without asking Slack: there is one workspace and one token."""

    def __init__(self, token: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._token = token

    def __call__(self, *, team_id: str | None, user_id: str | None, **_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=team_id, user_id=user_id, bot_token=self._token)
