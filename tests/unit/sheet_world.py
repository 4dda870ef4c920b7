"""Modals for tests: a request as Slack's payloads become one, performed as a worker does, and screens that keep what they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from commands import live, picking, requests
from commands.caller import Caller
from commands.fields import Choice, Entry, Field, Files
from commands.reply import Page, Reply, Sheet
from commands.uploads import NOWHERE, Uploads
from services.desk import Desk
from services.ports import Message, Request
from tests.desks import Bench

_NUMBERS = count(1)


@dataclass
class Screen:
    """Shows what it is given, unless the trigger has run out."""

    open: bool = True
    sheets: list[Sheet] = field(default_factory=list)

    def sheet(self, _request: Request, sheet: Sheet) -> bool:
        if self.open:
            self.sheets.append(sheet)
        return self.open

    def page(self, _request: Request, _page: Page) -> bool:
        return self.open

    def unfurl(self, _request: Request, _shown: Mapping[str, Reply]) -> bool:
        return self.open


def ask(
    bench: Bench,
    caller: Caller,
    screen: Screen,
    desk: Desk | None = None,
    uploads: Uploads = NOWHERE,
    **changes: Any,
) -> Request:
    """Let ``caller`` do what the request says, and return it."""
    number = next(_NUMBERS)
    given: dict[str, Any] = {
        "id": f"req_{number}",
        "dedupe": f"V1:{number}",
        "team": "T1",
        "user": "U1",
        "channel": "C1",
        "text": "",
        "created_at": bench.now,
        "trigger": "1.2",
    }
    request = Request(**(given | changes))
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, timedelta(minutes=1), 10)
    requests.perform(desk or bench.desk, claimed, caller, screens=screen, uploads=uploads)
    return request


def send(
    bench: Bench,
    caller: Caller,
    sheet: str,
    memory: str = "",
    desk: Desk | None = None,
    *,
    files: Sequence[Mapping[str, Any]] = (),
    uploads: Uploads = NOWHERE,
    **values: Any,
) -> Message:
    """Send a modal off and return the row that shows what came of it."""
    form: dict[str, Any] = {"values": values, "memory": memory, "hash": "1", "kind": "modal"}
    if files:
        form["files"] = {picking.FILE: list(files)}
    request = ask(
        bench,
        caller,
        Screen(),
        desk,
        uploads,
        kind="submission",
        text=sheet,
        channel="",
        view="V1",
        form=form,
    )
    bench.now += requests.ACKNOWLEDGED
    with bench.storage.read() as tx:
        row = tx.outbox.by_key(f"view:{request.id}")
    assert row is not None
    assert (row.via, row.channel) == (live.VIA, request.dedupe)
    return row


def shown(bench: Bench, row: Message) -> Sheet:
    """Return what the modal of ``row`` shows now."""
    return live.compose(bench.desk, row).sheet


def rows(bench: Bench) -> list[Message]:
    """Return what waits to be shown in modals."""
    return claimed(bench, live.VIA)


def messages(bench: Bench) -> list[Message]:
    """Return what waits to be posted."""
    return claimed(bench, "slack")


def claimed(bench: Bench, via: str) -> list[Message]:
    with bench.storage.write() as tx:
        return list(tx.outbox.claim(bench.now, timedelta(0), 100, via))


def fields(sheet: Sheet) -> dict[str, Field]:
    return {part.id: part for part in sheet.parts if isinstance(part, Choice | Entry | Files)}


def options(sheet: Sheet, name: str) -> list[str]:
    """Return the values that a field of the sheet offers."""
    part = fields(sheet)[name]
    assert isinstance(part, Choice)
    return [value for value, _ in part.options]


def ticks(sheet: Sheet) -> list[str]:
    """Return the names that can be ticked, in whichever of its fields."""
    return [
        value
        for part in sheet.parts
        if isinstance(part, Choice) and part.id.startswith("names")
        for value, _ in part.options
    ]


def text(sheet: Sheet) -> str:
    """Return everything that stands in a sheet, for a look whether something is in it."""
    return str(sheet)
