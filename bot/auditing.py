"""What `certdesk audit` says: whether the audit trail is whole, and what stands in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from json import dumps
from typing import Any

from bot import wiring
from bot.config import load
from bot.terminal_text import clean
from services.model.audit import Break, Entry, Head, against, breaks, head_of
from services.model.clock import aware, rfc3339
from services.ports import Audit

_BATCH = 1000  # rows that are held in memory at once
_BEFORE_ALL = -(2**63)  # a row that somebody put before the first one is found as well
_NONE = "The audit trail has no rows: nothing was done yet, or all of them were taken out."
_UNREADABLE = "Row {number} cannot be read: what stands there is no moment or no text. The rows behind it were not looked at."
_WHAT = {
    "truncated": "The rows from {number} on are missing: the trail went on to the row that you know, and was cut off.",
    "rewritten": "Row {number} is not the one that you know: it and perhaps rows before it were written anew.",
    "changed": "Row {number} was changed after it was written: its hash is not that of what it says.",
    "missing": "Row {number} is missing, and perhaps rows behind it.",
    "reordered": "Row {number} does not follow the row before it: rows were moved, put in between or written anew.",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk along the whole trail has shown."""

    rows: int = 0
    first: Entry | None = None
    last: Entry | None = None
    broken: tuple[Break, ...] = ()
    known: Entry | None = None
    """The row that was asked for by its number, if it was passed."""
    readable: bool = True
    """False if the row behind ``last`` cannot be read; what follows it is not known."""


def print_head() -> str:
    """Return the number and the hash of the newest row, to be kept where nobody who can write to the database can."""
    with _trail() as audit:
        return str(head_of(audit.last()))


def verify_trail(known: Head | None = None) -> tuple[bool, str]:
    """Walk along the whole trail; return whether it is unbroken, and what to print: each break on a line of its own.

    ``known`` is a head that was kept elsewhere; None: there is none.
    """
    with _trail() as audit:
        found = verified(audit, known=known)
    return found.readable and not found.broken, _said(found, known)


def verified(audit: Audit, batch: int = _BATCH, known: Head | None = None) -> Verified:
    """Read the trail from its first row to its last, ``batch`` rows at a time, and check how they are chained.

    It must have the row that is ``known``, with the same hash.

    It ends at a row whose columns hold what is no moment or no text, as SQLite lets anyone write it.
    """
    found = Verified()
    try:
        while entries := audit.entries(found.last.number if found.last else _BEFORE_ALL, batch):
            found = _further(found, entries, known)
    except (TypeError, ValueError):
        # row by row there is a last one that can be read
        return replace(found, readable=False) if batch == 1 else verified(audit, 1, known)
    if known is None:
        return found
    return replace(found, broken=(*found.broken, *against(known, found.known, found.last)))


def _further(found: Verified, entries: Sequence[Entry], known: Head | None) -> Verified:
    broken = (*found.broken, *breaks(entries, found.last))
    there = next(
        (entry for entry in entries if known is not None and entry.number == known.number), found.known
    )
    return Verified(found.rows + len(entries), found.first or entries[0], entries[-1], broken, there)


def _said(found: Verified, known: Head | None = None) -> str:
    if not found.rows and found.readable and not found.broken:
        return _NONE
    rows = _counted(found.rows, "row")
    if found.first and found.last and found.readable and not found.broken:
        same = "" if known is None else f" Row {known.number} is the one that you know."
        return f"{rows}, unbroken since {rfc3339(found.first.at)}; the newest is row {found.last.number}, its hash {found.last.hash}.{same}"
    lines = [_WHAT[one.what].format(number=one.number) for one in found.broken]
    if not found.readable:
        lines.append(_UNREADABLE.format(number=found.last.number + 1 if found.last else 1))
    lines.append(
        f"{rows}, {_counted(len(lines), 'break')}. Somebody has written to the table audit past certdesk: keep a copy "
        "of the database as it is, and compare these rows with a backup."
    )
    return "\n".join(lines)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def show_trail(limit: int, *, as_json: bool = False) -> str:
    """Return the newest ``limit`` rows, the oldest of them first: one line each, or as a JSON list."""
    with _trail() as audit:
        last = audit.last()
        entries: Sequence[Entry] = audit.entries(last.number - limit, limit) if last else []
    if as_json:
        return dumps([_as_json(entry) for entry in entries], indent=2)
    return "\n".join(_as_line(entry) for entry in entries) or _NONE


def _as_line(entry: Entry) -> str:
    reason = f": {entry.reason}" if entry.reason else ""
    return clean(
        f"{entry.number:>6}  {rfc3339(entry.at)}  {entry.result:<7}  {entry.actor} ({entry.role})  "
        f"{entry.action} {entry.subject}{reason}"
    )


def _as_json(entry: Entry) -> dict[str, Any]:
    """Return the row with its moment as the hash has it."""
    return {
        "number": entry.number,
        "at": aware(entry.at).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "role": entry.role,
        "action": entry.action,
        "subject": entry.subject,
        "result": entry.result,
        "reason": entry.reason,
        "previous": entry.previous,
        "hash": entry.hash,
    }


@contextmanager
def _trail() -> Iterator[Audit]:
    """Open the trail for reading: all of it as it was at one moment."""
    storage = wiring.open_storage(load())
    try:
        with storage.read() as tx:
            yield tx.audit
    finally:
        storage.close()
