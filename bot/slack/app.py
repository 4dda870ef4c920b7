"""The Bolt app: a listener writes one row, wakes the workers and acknowledges; there is no logic here."""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
from slack_bolt.middleware import Middleware
from slack_bolt.request.internals import build_context

from bot.slack.clients import asking_client, wire_logger
from bot.slack.escape import mrkdwn
from bot.slack.intake import Intake
from bot.slack.payloads import NotOursError, sender, shown_in
from bot.slack.sent_off import taken_in
from bot.slack.settings import SlackSettings
from bot.text.language import ENGLISH, Language
from bot.text.language import language as known_language
from services.model.text import say

__all__ = ["FORM", "Intake", "RestoreBody", "apologise", "make_app"]

_log = structlog.get_logger(__name__)
FORM = "application/x-www-form-urlencoded"


_ANY = re.compile("")


def make_app(
    settings: SlackSettings,
    intake: Intake,
    heard: Callable[[Mapping[str, Any]], None] = lambda _event: None,
    left: Callable[[Mapping[str, Any]], None] = lambda _body: None,
    language: Callable[[str], Language] = lambda _user: ENGLISH,
) -> App:
    """Return the Bolt app. It does not verify signatures: in HTTP mode it stands behind `bot.slack.http.SlackDoor`.

    ``heard`` is told of reactions, of which there are events only where `bot.slack.canary` is switched on; ``left`` of
    workspaces that certdesk was uninstalled from. ``language`` tells that of a user at once, for Slack waits for an apology.
    """
    app = App(
        name="certdesk",
        logger=wire_logger(),
        client=asking_client(SlackSettings(api_url=settings.api_url)),
        authorize=_Anybody(),
        before_authorize=RestoreBody(),
        process_before_response=True,  # the answer leaves when the listener returns: no polling, no thread pool
        token_verification_enabled=False,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,  # the canary listens for what certdesk itself does
    )

    def take_command(ack: Ack, body: dict[str, Any]) -> None:
        intake.take(body)
        ack()

    def take(ack: Ack, body: dict[str, Any], write: Callable[[dict[str, Any]], bool]) -> None:
        try:
            write(body)
        except (NotOursError, KeyError) as error:  # nothing of ours: Slack need not send it again
            _log.warning("slack.ignored", kind=body.get("type"), why=str(error))
        ack()

    def take_click(ack: Ack, body: dict[str, Any]) -> None:
        take(ack, body, intake.click)

    def take_sheet(ack: Ack, body: dict[str, Any]) -> None:
        try:
            answer = taken_in(body, settings.command, _spoken(body, language))
            if "errors" not in answer:
                intake.submit(body)
        except (NotOursError, KeyError) as error:
            _log.warning("slack.ignored", kind=body.get("type"), why=str(error))
            answer = {}
        ack(**answer)

    def take_home(ack: Ack, body: dict[str, Any]) -> None:
        take(ack, body, intake.home)

    def take_links(ack: Ack, body: dict[str, Any]) -> None:
        take(ack, body, lambda one: intake.links(one, settings.link_domain))

    app.command(settings.command)(take_command)  # first: Bolt asks its listeners one after another
    app.action({"type": "block_actions", "action_id": _ANY})(take_click)
    app.view(_ANY)(take_sheet)
    app.event("app_home_opened")(take_home)
    app.event("link_shared")(take_links)
    _hear_events(app, heard, left)
    app.error(_sorry(language))
    return app


def _hear_events(
    app: App, heard: Callable[[Mapping[str, Any]], None], left: Callable[[Mapping[str, Any]], None]
) -> None:
    def take_reaction(ack: Ack, event: dict[str, Any]) -> None:
        heard(event)
        ack()

    def take_departure(ack: Ack, body: dict[str, Any]) -> None:
        left(body)
        ack()

    app.event("reaction_added")(take_reaction)
    app.event("app_uninstalled")(take_departure)
    app.event("tokens_revoked")(take_departure)


class RestoreBody(Middleware):
    """Parses the form that Bolt left empty: it takes any body with the word ``payload`` in it for a button's.

    Without this ``/ssl add payload.example.com`` would be lost (slack_bolt.request.internals.parse_body). A click that
    names no action ends here: Bolt would stumble over it.
    """

    def process(
        self,
        *,
        req: BoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt calls by name
        next: Callable[[], BoltResponse],  # noqa: A002 - the same
    ) -> BoltResponse:
        """Mend the request, if need be, and go on."""
        if not req.body and req.raw_body and req.content_type == FORM:
            req.body = dict(parse_qsl(req.raw_body, keep_blank_values=True))
            build_context(req.context, req.body)
        if req.body.get("type") == "block_actions" and not _acts(req.body.get("actions")):
            _log.warning("slack.ignored", kind="block_actions", why="a click without an action")
            return BoltResponse(status=200, body="")
        return next()


def _acts(actions: Any) -> bool:
    """Tell whether there is an action: Bolt takes the first one without looking whether it is there."""
    return isinstance(actions, list) and bool(actions) and isinstance(actions[0], dict)


def _sorry(language: Callable[[str], Language]) -> Callable[..., BoltResponse]:
    def sorry(error: Exception, body: dict[str, Any]) -> BoltResponse:
        return apologise(error, _spoken(body, language))

    return sorry


def _spoken(body: Mapping[str, Any], remembered: Callable[[str], Language]) -> Language:
    """Return the language in which to answer at once: that of the modal, else what is remembered of who asks."""
    shown = shown_in(body)
    return known_language(shown) if shown else remembered(_user(body))


def _user(body: Mapping[str, Any]) -> str:
    """Return who has sent a request that may be of any shape; empty if it does not say."""
    try:
        return sender(body)[1]
    except KeyError:
        return ""


def apologise(error: Exception, language: Language = ENGLISH) -> BoltResponse:
    """Log the error under a short id and answer, for the asker's eyes alone, with a sentence that names the id."""
    error_id = secrets.token_hex(4)
    _log.error("slack.request_failed", error_id=error_id, exc_info=error)
    sentence = say(
        "certdesk could not take this in, and nothing was changed. Please try again; if it fails again, tell the "
        "on-call engineer the error id {error_id}.",
        error_id=error_id,
    )
    return BoltResponse(status=200, body={"response_type": "ephemeral", "text": mrkdwn(sentence, language)})


class _Anybody(Authorize):
    """Answers Bolt's question whose token to use without asking Slack or the vault: listeners write down and call nobody."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __call__(self, *, team_id: str | None, user_id: str | None, **_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=team_id, user_id=user_id)
