"""Shows sheets as modals and pages as Home tabs, through the Web API: at once, for a trigger is good for three seconds."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bot.slack.dates import in_utc
from bot.slack.errors import CALL_ERRORS, read_error
from bot.slack.render import render
from bot.slack.render_views import home, modal
from bot.slack.speech import English, Speech
from bot.slack.workspaces import ByWorkspace
from commands.reply import Page, Reply, Sheet
from commands.screens import handle
from services.model.workspaces import placed
from services.ports import Request

_log = structlog.get_logger(__name__)


class SlackScreens:
    """`commands.screens.Screens` by Slack's views.* methods."""

    def __init__(
        self,
        clients: ByWorkspace,
        command: str = "/ssl",
        *,
        date_tokens: bool = True,
        speech: Speech | English | None = None,
    ) -> None:
        """``clients`` must not repeat calls by themselves: a trigger opens one modal."""
        self._clients, self._command, self._date_tokens = clients, command, date_tokens
        self._speech = speech or English()

    def sheet(self, request: Request, sheet: Sheet) -> bool:
        """Show ``sheet`` in the request's modal, or in a new one.

        A click changes the page that was clicked, and no other that has taken its place meanwhile: of two quick clicks the
        one that Slack takes first counts (`hash`, docs: views.update).
        """
        client, team = self._clients(request.workspace), request.workspace
        language = self._speech.to_person(placed(team, request.user), placed(team, request.channel))
        view = modal(sheet, self._command, language, handle=handle(request))
        view = view if self._date_tokens else in_utc(view)
        if request.view and request.form.get("kind") == "modal":
            clicked = str(request.form.get("hash") or "") or None
            return _taken(
                lambda: client.views_update(view_id=request.view, view=view, hash=clicked),
                but="hash_conflict",
            )
        if not request.trigger:
            return False
        return _taken(lambda: client.views_open(trigger_id=request.trigger, view=view))

    def page(self, request: Request, page: Page) -> bool:
        """Publish ``page`` as the Home tab of who asked."""
        client = self._clients(request.workspace)
        language = self._speech.to_person(placed(request.workspace, request.user))
        view: Mapping[str, Any] = home(page, self._command, language)
        return _taken(lambda: client.views_publish(user_id=request.user, view={**view}))

    def unfurl(self, request: Request, shown: Mapping[str, Reply]) -> bool:
        """Show what shared links lead to (docs: chat.unfurl), in the language of the channel."""
        client, unfurl = self._clients(request.workspace), request.form
        language = self._speech.in_channel(placed(request.workspace, request.channel))
        drawn = {
            link: render(reply, self._command, language=language, date_tokens=self._date_tokens)
            for link, reply in shown.items()
        }
        unfurls = {link: {"blocks": list(one.blocks)} for link, one in drawn.items()}
        return _taken(
            lambda: client.chat_unfurl(
                unfurls=unfurls, unfurl_id=str(unfurl.get("unfurl_id")), source=str(unfurl.get("source"))
            )
        )


def _taken(call: Callable[[], object], but: str = "") -> bool:
    """Make the call and tell whether Slack took it; the code ``but`` counts as taken: something else is shown already."""
    try:
        call()
    except CALL_ERRORS as error:
        code = read_error(error).code
        _log.warning("slack.view_refused", error=code)
        return bool(but) and code == but
    return True
