"""One thing that certdesk shows, and of what it is a sample."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from commands import live, messages
from commands.reply import Page, Reply, Sheet
from services import approvals
from services.desk import Desk
from services.ports import Message
from tests.unit.alert_world import DAY

Shown = Reply | Sheet | Page


@dataclass(frozen=True)
class Sample:
    """What is shown, and of what it is a sample."""

    of: str
    """Words: ``message KIND``, ``proposal ACTION STAGE``, ``modal KIND``, ``sheet NAME``, ``home``, ``link`` …"""
    shown: Shown


def owed(desk: Desk) -> Iterator[Sample]:
    """Yield all that is owed to Slack, in messages and in modals, as it would be shown now."""
    later = desk.clock() + 365 * DAY
    with desk.storage.write() as tx:
        waiting = [*tx.outbox.claim(later, DAY, 1000), *tx.outbox.claim(later, DAY, 1000, via=live.VIA)]
    for message in waiting:
        if message.via == live.VIA:
            yield from in_modal(desk, message)
        else:
            yield from in_message(desk, message)


def in_message(desk: Desk, message: Message) -> Iterator[Sample]:
    """Yield what a message says now; one of a proposal is a sample of it as well."""
    reply = messages.compose(desk, message).reply
    yield Sample(f"message {message.kind}", reply)
    if message.kind == approvals.MESSAGE:
        proposal = approvals.known(desk, str(message.body["proposal"]))
        if proposal is not None:
            yield Sample(f"proposal {proposal.action} {proposal.stage}", reply)


def in_modal(desk: Desk, message: Message) -> Iterator[Sample]:
    """Yield what a modal shows now."""
    sheet = live.compose(desk, message).sheet
    yield Sample(f"modal {message.kind}", sheet)
    yield from viewed([sheet])


def viewed(views: Iterable[Sheet | Page]) -> Iterator[Sample]:
    """Yield what is shown at once: pages of modals by their names, and the Home tab."""
    for one in views:
        yield Sample(f"sheet {one.name}" if isinstance(one, Sheet) else "home", one)
