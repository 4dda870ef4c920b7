"""Takes commands and clicks in: each is one row, and rows that arrive together share one transaction."""

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from services.model.clock import Clock
from services.model.identity import new_id
from services.ports import Request, Storage

_ACTION = re.compile(r"((?:alert|certificate|link)\.[a-z_]{1,40})(?::\d{1,3})?")
"""An action of ours; the number behind it tells apart what stands twice in a message (`bot.slack.render_actions`)."""
MAX_CLICK = 150
"""Characters of a click's value, as `commands.reply.Button` promises."""


class NotOursError(Exception):
    """A click on nothing that certdesk has ever shown; its message says why."""


class Intake:
    """Writes requests down, so that Slack has its acknowledgement at once. Safe to use from many threads.

    A transaction costs more than a row. While one thread writes, the requests of the others line up; then the first of
    them writes all that are waiting. Each thread returns when its own row is committed, and leads for one batch only.
    """

    def __init__(self, storage: Storage, clock: Clock, wake: Callable[[], None]) -> None:
        """``wake`` tells the workers of this process that requests wait."""
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
        channel, text = clicked(body)
        return self._take(self._request(body, channel, text, "click"))

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

    def _request(self, body: Mapping[str, Any], channel: str, text: str, kind: str = "command") -> Request:
        team, user = sender(body)
        return Request(
            id=new_id("req"),
            dedupe=str(body["trigger_id"]),
            team=team,
            user=user,
            channel=channel,
            text=storable(text),
            created_at=self._clock(),
            kind=kind,
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


def sender(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return (team id, user id) of the person who acted.

    Buttons and modals name the person's own team inside ``user``; the outer ``team`` is the workspace where it
    happened, which for a person of another workspace in a shared channel is not theirs. Slash commands are flat.
    """
    user = body.get("user")
    if isinstance(user, Mapping):
        return str(user.get("team_id") or ""), str(user["id"])
    return str(body.get("team_id") or ""), str(body["user_id"])


def clicked(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return (channel, action and value) of a click. Raises NotOursError if it is on nothing of ours.

    A body is what Slack sent, so its shape is looked at, not trusted: an app may be sent clicks on messages of any age.
    """
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(action, Mapping):
        raise NotOursError("a click without an action")
    ours = _ACTION.fullmatch(str(action.get("action_id")))
    if ours is None:
        raise NotOursError("a click on an unknown action")
    chosen = action.get("selected_option")
    value = chosen.get("value") if isinstance(chosen, Mapping) else action.get("value")
    if not isinstance(value, str) or not 0 < len(value) <= MAX_CLICK:
        raise NotOursError("a click without a value")
    return _where(body), f"{ours[1]} {value}"


def _where(body: Mapping[str, Any]) -> str:
    """Return the channel of the message that was clicked."""
    for name, key in (("channel", "id"), ("container", "channel_id")):
        place = body.get(name)
        if isinstance(place, Mapping) and place.get(key):
            return str(place[key])
    raise NotOursError("a click outside of a channel")


def storable(text: str) -> str:
    """Return ``text`` without what a database refuses: NUL characters and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
