"""What an open modal shows now: one table of kind -> how it is composed, what is still to be done, what is left of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from commands import messages, offered
from commands.command import Known
from commands.losing import LOST, lost
from commands.reply import Heading, Hint, Live, Outcome, Reply, Sheet
from commands.reply_json import reply_to_json
from commands.sheet_json import sheet_from_json, sheet_to_json
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.identity import new_id
from services.model.text import Text, say
from services.ports import Message, Request

VIA = "view"
"""`services.ports.Message.via` of what is shown in a modal; its `channel` is then the modal's handle."""
SHEET, PROGRESS = "sheet", "sheet_progress"
"""Kinds: a sheet as it is, certificates that are being worked on; `offered.CHECKS` are names that are being checked."""
NOTE = "note"
"""Name of a sheet that is only read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a modal shows now; ``final``: nothing will change it any more."""

    sheet: Sheet
    final: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of what modals show."""

    compose: Callable[[Desk, Message], Shown]
    """Says what is shown, from the database alone: it is quick."""
    work: Callable[[Desk, Mapping[str, Any]], Mapping[str, Any] | None] = lambda _desk, _body: None
    """Does the next piece of long work that the sheet waits for, and returns the new body; None: there is none."""
    left: Callable[[Message], tuple[str, Mapping[str, Any]] | None] = lambda _message: None
    """Returns (kind, body) of the message that takes its place when the modal is closed; None: nothing need be told."""
    kept: bool = False
    """Whether what it was made of is looked at when something in it is clicked, so that it is always written down."""


def compose(desk: Desk, message: Message, known: Known | None = None) -> Shown:
    """Return what the modal of ``message`` shows at this moment; ``known`` tells who its reader is now (None: nobody can).

    Raises CertdeskError for an unknown kind, and where Slack does not say who somebody is.
    """
    if known is not None and lost(desk, message, known):
        return Shown(of_reply(LOST), final=True)
    return _kind(message).compose(desk, message)


def work(desk: Desk, message: Message) -> Mapping[str, Any] | None:
    """Do the next piece of what the modal waits for and return its new body; None if there is nothing to do."""
    return _kind(message).work(desk, message.body)


def kept(message: Message) -> bool:
    """Tell whether the row is needed even where nothing will change it."""
    return _kind(message).kept


def left(message: Message, now: datetime) -> Message | None:
    """Return the direct message that takes the place of a closed modal; None if nothing need be told."""
    told = _kind(message).left(message)
    if told is None:
        return None
    kind, body = told
    return Message(
        id=new_id("msg"),
        key=f"{message.key}:left",
        kind=kind,
        channel="",
        user=message.user,
        private=True,
        body=body,
        created_at=now,
        follows=message.follows,
        run_after=now,
        team=message.team,
    )


def row(request: Request, handle: str, outcome: Outcome, now: datetime) -> Message:
    """Return the row that shows ``outcome`` in the modal with this handle, and keeps it up to date."""
    live = outcome.live or _still(outcome)
    return Message(
        id=new_id("msg"),
        key=f"view:{request.id}",
        kind=live.kind,
        channel=handle,
        user=request.user,
        private=True,
        body=live.body,
        created_at=now,
        follows=outcome.follows,
        run_after=now,
        via=VIA,
        team=request.workspace,
    )


def _still(outcome: Outcome) -> Live:
    """Return a sheet that nothing changes: the outcome's own, or its reply as one."""
    sheet = outcome.sheet or of_reply(outcome.reply)
    return Live(SHEET, {"sheet": sheet_to_json(sheet), "reply": reply_to_json(outcome.reply)})


def of_reply(reply: Reply, title: Text | None = None, memory: str = "") -> Sheet:
    """Return a reply as a sheet that is only read."""
    heading = Heading(reply.tone, reply.title)
    return Sheet(NOTE, title or say("certdesk"), reply.parts, memory=memory, heading=heading)


def progress(outcome: Outcome) -> Outcome:
    """Return an outcome that follows certificates with its progress as a live sheet."""
    return replace(outcome, live=Live(PROGRESS, messages.content(outcome)[1]))


def told(outcome: Outcome, reply: Reply) -> Outcome:
    """Return an outcome that stands in a message of its own with ``reply`` as what the modal shows."""
    body = {"sheet": sheet_to_json(of_reply(reply)), "reply": reply_to_json(reply)}
    return replace(outcome, live=Live(SHEET, body))


def _kind(message: Message) -> Kind:
    kind = KINDS.get(message.kind)
    if kind is None:
        raise CertdeskError(say("There is no way to compose a modal of the kind {kind}.", kind=message.kind))
    return kind


def _left(message: Message) -> tuple[str, Mapping[str, Any]] | None:
    form = sheet_from_json(message.body["sheet"]).submit.template
    return None if form else (messages.REPLY, message.body["reply"])


def _progress(desk: Desk, message: Message) -> Shown:
    composed = messages.compose(desk, replace(message, kind=messages.PROGRESS))
    close = say("You can close this: certdesk goes on, and tells you by direct message how it ends.")
    parts = composed.reply.parts if composed.final else (*composed.reply.parts, Hint(close))
    return Shown(of_reply(replace(composed.reply, parts=parts)), composed.final)


KINDS: Mapping[str, Kind] = {
    # a page that stays as it is: a form, or what came of one
    SHEET: Kind(
        lambda _desk, message: Shown(sheet_from_json(message.body["sheet"]), final=True),
        left=_left,
    ),
    # names to choose from, with what the checks find; a person who closes it wants nothing of it
    offered.CHECKS: Kind(
        lambda _desk, message: Shown(offered.sheet(message.body), final=offered.checked(message.body)),
        work=offered.check_some,
        kept=True,
    ),
    # the work on certificates, as the message of the same command shows it
    PROGRESS: Kind(_progress, left=lambda message: (messages.PROGRESS, message.body)),
}
