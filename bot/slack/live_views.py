"""Keeps open modals up to date: each is a row that is due when something has changed, like the messages of the outbox."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.slack.delivery import UNSOUND_VIEWS, Then, then, wait
from bot.slack.errors import CALL_ERRORS, CallError, read_error
from bot.slack.plainer import plainer
from bot.slack.reader import Reader
from bot.slack.render_views import modal
from bot.slack.soundness import Soundness, without_files
from bot.slack.speech import English, Speech
from bot.slack.workspaces import ByWorkspace
from commands import live
from commands.command import Known
from services.desk import Desk
from services.model.errors import CertdeskError, LeaseLostError
from services.model.workspaces import placed
from services.ports import Message

_log = structlog.get_logger(__name__)
ACKNOWLEDGED = timedelta(seconds=10)
"""How long a modal may take to be found: Slack knows it by its handle only once our acknowledgement has arrived there."""
LOOK_AGAIN = timedelta(milliseconds=200)
STALE = timedelta(hours=24)
"""After this time nobody looks at a modal any more; nor does Slack keep it."""
GONE = frozenset({"not_found", "view_not_found"})
"""Slack's codes for a modal that was closed, or is not known yet by this handle."""

REFUSED = UNSOUND_VIEWS | {"duplicate_external_id", "invalid_external_id"}
"""Slack's codes for a view that it will never take."""


class LiveViews:
    """Shows claimed rows in their modals. Safe to use from many threads, each with rows of its own."""

    def __init__(
        self,
        clients: ByWorkspace,
        desk: Desk,
        command: str = "/ssl",
        *,
        date_tokens: bool = True,
        speech: Speech | English | None = None,
        soundness: Soundness | None = None,
        known: Known | None = None,
    ) -> None:
        """``clients`` must not repeat calls by themselves: the row says when to try again. ``known`` tells who a reader is now."""
        self._clients, self._desk, self._command, self._date_tokens = clients, desk, command, date_tokens
        self._speech = speech or English()
        self._soundness = soundness or Soundness()
        self._known = known

    def deliver(self, row: Message) -> None:
        """Show ``row`` as it is now, do the next piece of what it waits for, and record how far it came.

        A modal that was closed ends its row; what is still to be told then goes by direct message.
        """
        now = self._desk.clock()
        try:
            shown = live.compose(self._desk, row, self._known)
            error = self._show(row, shown)
            body = live.work(self._desk, row) if error is None and not shown.final else None
        except CertdeskError as unable:
            self._later(row, now + wait(Then.LATER, row, None), str(unable))
            return
        if error is None:
            self._shown(row, body, final=shown.final)
        elif _waits(error, row, now):
            soon = LOOK_AGAIN if error.code in GONE else wait(then(error), row, error.retry_after)
            self._later(row, now + soon, error.code)
        else:
            self._closed(row, now)

    def _show(self, row: Message, shown: live.Shown) -> CallError | None:
        """Show it; return why Slack did not take it, or None if it did."""
        reader = Reader(self._command, self._speech.to_person(placed(row.team, row.user)))
        view = modal(shown.sheet, reader.command, reader.language, handle=row.channel)
        view = self._soundness.view(view if self._date_tokens else plainer(view), row.id, reader)
        error = self._update(row, view)
        spare = without_files(view)
        if error is not None and error.code in UNSOUND_VIEWS and spare is not None:
            error = self._update(row, spare)
        if (
            error is not None and error.code in UNSOUND_VIEWS
        ):  # a fault of certdesk's: the person is told, and sees no standstill
            return self._update(row, self._soundness.bare(view, row.id, reader, error.code))
        return error

    def _update(self, row: Message, view: dict[str, Any]) -> CallError | None:
        try:
            self._clients(row.team).views_update(external_id=row.channel, view=view)
        except CALL_ERRORS as error:
            facts = read_error(error)
            _log.info("slack.view_not_shown", row=row.id, error=facts.code)
            return facts
        return None

    def _shown(self, row: Message, body: Mapping[str, Any] | None, *, final: bool) -> None:
        try:
            with self._desk.storage.write() as tx:
                if body is not None:
                    tx.outbox.put(replace(row, body=body, run_after=self._desk.clock()))
                tx.outbox.delivered(row, "shown", final=final)
        except LeaseLostError:
            _log.warning("slack.view_late", row=row.id)

    def _closed(self, row: Message, now: datetime) -> None:
        left = live.left(row, now)
        try:
            with self._desk.storage.write() as tx:
                if left is not None:
                    tx.outbox.put(left)
                tx.outbox.delivered(row, "closed", final=True)
        except LeaseLostError:
            _log.warning("slack.view_late", row=row.id)

    def _later(self, row: Message, until: datetime, error: str) -> None:
        try:
            with self._desk.storage.write() as tx:
                tx.outbox.postponed(row, until, error[:300])
        except LeaseLostError:
            _log.warning("slack.view_late", row=row.id)


def _waits(error: CallError, row: Message, now: datetime) -> bool:
    """Tell whether the modal may still be had: Slack may not know it yet, or may not answer just now."""
    age = now - row.created_at
    if error.code in GONE:
        return not row.ts and age < ACKNOWLEDGED
    return then(error) in (Then.LATER, Then.MEND) and error.code not in REFUSED and age < STALE
