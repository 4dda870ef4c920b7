"""Takes in what people do: each command, click, filled-in modal and opened Home is one row; those that arrive together share one transaction."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.slack import payloads
from bot.slack.payloads import sender
from services.model.clock import Clock
from services.model.identity import new_id
from services.model.workspaces import HOME
from services.ports import Request, Storage


class Intake:
    """Writes requests down, so that Slack has its acknowledgement at once. Safe to use from many threads.

    A transaction costs more than a row. While one thread writes, the requests of the others line up; then the first of
    them writes all that are waiting. Each thread returns when its own row is committed, and leads for one batch only.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        wake: Callable[[], None],
        workspace: Callable[[str], str] = lambda _team: HOME,
    ) -> None:
        """``wake`` tells the workers of this process that requests wait; ``workspace`` how rows name a workspace."""
        self._workspace = workspace
        self._storage, self._clock, self._wake = storage, clock, wake
        self._lock = threading.Lock()
        self._line: list[_Waiting] = []
        self._led = False

    def take(self, body: Mapping[str, Any]) -> bool:
        """Write the slash command down; False, and nothing changed, if it came before (the same trigger_id).

        Raises KeyError if the body is not a slash command's, and whatever the storage raises; nothing is written then.
        """
        return self._take(self._request(body, str(body["channel_id"]), str(body.get("text") or "")))

    def click(self, body: Mapping[str, Any]) -> bool:
        """Write a click down (Slack's block_actions); False, and nothing changed, if it came before.

        Its text is the action, a blank, and the value: of the button, or of the option that was chosen. Raises
        NotOursError if the body is no click on anything of ours, otherwise as `take`.
        """
        clicked = payloads.clicked(body)
        request = self._request(body, clicked.channel, clicked.text, "click")
        return self._take(replace(request, view=clicked.view, form=clicked.form))

    def submit(self, body: Mapping[str, Any]) -> bool:
        """Write down a modal that was sent off (Slack's view_submission); False, and nothing changed, if it came before.

        Its text is the sheet's name. A view has no channel: what came of it is shown in it, or by direct message. Raises
        as `click`.
        """
        filled = payloads.submitted(body)
        request = self._request(body, "", filled.text, "submission", filled.once)
        return self._take(replace(request, view=filled.view, form=filled.form))

    def home(self, body: Mapping[str, Any]) -> bool:
        """Write down that a person has opened the Home tab (the event app_home_opened); False if it came before.

        Raises NotOursError if it is another tab that was opened.
        """
        opened = payloads.opened(body)
        request = Request(
            id=new_id("req"),
            dedupe=opened.once,
            team=opened.team,
            user=opened.user,
            channel="",
            text="",
            created_at=self._clock(),
            kind="home",
            workspace=self._workspace(payloads.workspace(body)),
        )
        return self._take(request)

    def links(self, body: Mapping[str, Any], domain: str) -> bool:
        """Write down that links to ``domain`` were shared (the event link_shared); False if it came before.

        Raises NotOursError if there is none that could be shown.
        """
        shared = payloads.shared(body, domain)
        request = Request(
            id=new_id("req"),
            dedupe=shared.once,
            team=shared.team,
            user=shared.user,
            channel=shared.channel,
            text="",
            created_at=self._clock(),
            kind="links",
            form=shared.form,
            workspace=self._workspace(payloads.workspace(body)),
        )
        return self._take(request)

    def _take(self, request: Request) -> bool:
        mine = _Waiting(request)
        with self._lock:
            self._line.append(mine)
            first, self._led = not self._led, True
        if not first:
            mine.turn.wait()
        if mine.leads or first:
            self._lead()
        if mine.added is None:  # the batch failed, perhaps through another's row
            self._write([mine])
        return bool(mine.added)

    def _request(
        self, body: Mapping[str, Any], channel: str, text: str, kind: str = "command", dedupe: str = ""
    ) -> Request:
        team, user = sender(body)
        return Request(
            id=new_id("req"),
            dedupe=dedupe or str(body["trigger_id"]),
            team=team,
            user=user,
            channel=channel,
            text=payloads.storable(text),
            created_at=self._clock(),
            kind=kind,
            trigger=str(body.get("trigger_id") or ""),
            workspace=self._workspace(payloads.workspace(body)),
        )

    def _lead(self) -> None:
        """Write everything that waits, then let all of it go and pass the lead on."""
        with self._lock:
            batch, self._line = self._line, []
        try:
            self._write(batch)
        finally:
            with self._lock:
                following = self._line[0] if self._line else None
                self._led = following is not None
            for one in batch:
                one.turn.set()
            if following is not None:
                following.leads = True
                following.turn.set()

    def _write(self, batch: "list[_Waiting]") -> None:
        with self._storage.write() as transaction:
            added = [transaction.requests.add(one.request) for one in batch]
        for one, new in zip(batch, added, strict=True):
            one.added = new
        if any(added):
            self._wake()


class _Waiting:
    """A request in line."""

    __slots__ = ("added", "leads", "request", "turn")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.turn = threading.Event()
        self.leads = False
        self.added: bool | None = None  # None: not written
