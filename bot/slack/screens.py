"""Shows sheets as modals and pages as Home tabs, through the Web API: at once, for a trigger is good for three seconds."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from bot.slack.delivery import UNSOUND_VIEWS
from bot.slack.errors import CALL_ERRORS, read_error
from bot.slack.escape import fit
from bot.slack.limits import MAX_SECTION
from bot.slack.plainer import plainer
from bot.slack.reader import Reader
from bot.slack.render import render
from bot.slack.render_views import home, modal
from bot.slack.soundness import MODAL, UNFURL, Soundness, without_files
from bot.slack.speech import English, Speech
from bot.slack.workspaces import ByWorkspace
from bot.text.language import Language
from commands.reply import Page, Reply, Sheet
from commands.screens import guarded, handle
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
        soundness: Soundness | None = None,
    ) -> None:
        """``clients`` must not repeat calls by themselves: a trigger opens one modal."""
        self._clients, self._command, self._date_tokens = clients, command, date_tokens
        self._speech = speech or English()
        self._soundness = soundness or Soundness()

    def sheet(self, request: Request, sheet: Sheet) -> bool:
        """Show ``sheet`` in the request's modal, or in a new one.

        A click changes the page that was clicked, and no other that has taken its place meanwhile: of two quick clicks the
        one that Slack takes first counts (`hash`, docs: views.update).
        """
        client, team = self._clients(request.workspace), request.workspace
        language = self._speech.to_person(placed(team, request.user), placed(team, request.channel))
        view = modal(sheet, self._command, language, handle=handle(request))
        view = self._sound(view if self._date_tokens else plainer(view), request, language)
        if request.view and request.form.get("kind") == "modal":
            clicked = str(request.form.get("hash") or "") or None if guarded(request) else None
            return self._shown(
                lambda view: client.views_update(view_id=request.view, view=view, hash=clicked),
                view,
                request,
                but="hash_conflict",
            )
        if not request.trigger:
            return False
        return self._shown(
            lambda view: client.views_open(trigger_id=request.trigger, view=view), view, request
        )

    def _sound(self, view: dict[str, Any], request: Request, language: Language) -> dict[str, Any]:
        return self._soundness.view(view, request.id, Reader(self._command, language))

    def _shown(
        self,
        call: Callable[[dict[str, Any]], object],
        view: dict[str, Any],
        request: Request,
        but: str = "",
    ) -> bool:
        """Make the call with the view, or without its fields for files where Slack does not take those."""
        code = _refusal(lambda: call(view))
        spare = without_files(view)
        if code in UNSOUND_VIEWS and spare is not None:
            code = _refusal(lambda: call(spare))
        if code in UNSOUND_VIEWS:
            self._soundness.fault(MODAL, request.id, [code])
        return code in ("", but)

    def page(self, request: Request, page: Page) -> bool:
        """Publish ``page`` as the Home tab of who asked."""
        client = self._clients(request.workspace)
        language = self._speech.to_person(placed(request.workspace, request.user))
        view = self._sound(home(page, self._command, language), request, language)
        return not _refusal(lambda: client.views_publish(user_id=request.user, view=view))

    def unfurl(self, request: Request, shown: Mapping[str, Reply]) -> bool:
        """Show what shared links lead to (docs: chat.unfurl), in the language of the channel."""
        client, unfurl = self._clients(request.workspace), request.form
        language = self._speech.in_channel(placed(request.workspace, request.channel))
        reader = Reader(self._command, language)
        drawn = {
            link: self._soundness.message(
                render(reply, self._command, language=language, date_tokens=self._date_tokens),
                request.id,
                reader,
                UNFURL,
            )
            for link, reply in shown.items()
        }
        unfurls = {link: {"blocks": list(one.blocks) or _spoken(one.text)} for link, one in drawn.items()}
        return not _refusal(
            lambda: client.chat_unfurl(
                unfurls=unfurls, unfurl_id=str(unfurl.get("unfurl_id")), source=str(unfurl.get("source"))
            )
        )


def _spoken(text: str) -> list[dict[str, Any]]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": fit(text, MAX_SECTION), "verbatim": True}}]


def _refusal(call: Callable[[], object]) -> str:
    """Make the call and return the code with which Slack refused it; empty if it took it."""
    try:
        call()
    except CALL_ERRORS as error:
        code = read_error(error).code
        _log.warning("slack.view_refused", error=code)
        return code
    return ""
