"""The audit trail: every action with person, reason and result, each row chained by hash to the one before. Pure."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.model.clock import aware

LONGEST_WORD = 255
"""Characters of the longest word by which rows are found: no name, id or mention is longer, and no index takes any length."""
DONE, REFUSED, FAILED = "done", "refused", "failed"
ASKED = "asked"
"""It waits for a yes; what became of it is another row."""
ITSELF = "certdesk"
"""Who acts, and as what, where no person does."""
BEGINNING = "0" * 64
"""Stands for the hash before the first row."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One action."""

    at: datetime
    actor: str
    """``terminal``, ``certdesk``, or a Slack person as TEAM/USER."""
    role: str
    action: str
    """What was done, such as ``add`` or ``alert.ack``."""
    subject: str
    """What it was done to: names, a store, an alert's id."""
    result: str
    """``done``, ``refused``, ``failed`` or ``asked``."""
    reason: str = ""
    """Why, where the person gave a reason or it was refused."""
    number: int = 0
    """1 for the first row, then without a gap."""
    previous: str = BEGINNING
    """Hash of the row before."""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, and how."""

    number: int
    what: str
    """``changed``, ``missing``, ``reordered``, ``truncated`` or ``rewritten``."""


@dataclass(frozen=True, slots=True)
class Head:
    """A row that was the newest one once, kept somewhere else: the chain alone does not show that its end was cut off."""

    number: int
    """0: the trail was empty."""
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


def head_of(last: Entry | None) -> Head:
    """Return what to keep of the newest row (None: there is none yet)."""
    return Head(last.number, last.hash) if last is not None else Head(0, BEGINNING)


def read_head(text: str) -> Head | None:
    """Return the head that `Head` prints as NUMBER:HASH; None if ``text`` is none."""
    number, _, digest = text.strip().partition(":")
    ours = number.isascii() and number.isdigit() and len(number) < 19
    if not ours or len(digest) != len(BEGINNING) or not set(digest.lower()) <= set("0123456789abcdef"):
        return None
    return Head(int(number), digest.lower())


def against(known: Head, there: Entry | None, last: Entry | None) -> tuple[Break, ...]:
    """Return how the trail breaks with a head that was kept: ``there`` is its row with the head's number, ``last`` the newest.

    With an unbroken chain and nothing here, every row up to the head is as it was when the head was taken.
    """
    if known.number == 0:
        return ()
    if there is None:
        end = last.number if last is not None else 0
        return (
            Break(
                end + 1 if end < known.number else known.number,
                "truncated" if end < known.number else "missing",
            ),
        )
    return () if there.hash == known.hash else (Break(known.number, "rewritten"),)


def hash_of(entry: Entry) -> str:
    """Return the SHA-256 (lower-case hex) of everything in ``entry`` but its hash, as canonical JSON."""
    content = [
        entry.number,
        aware(entry.at).isoformat(timespec="microseconds"),
        entry.actor,
        entry.role,
        entry.action,
        entry.subject,
        entry.result,
        entry.reason,
        entry.previous,
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def words_of(subject: str) -> frozenset[str]:
    """Return the words by which a row with this subject is found: what stands there between spaces, `LONGEST_WORD` at most."""
    return frozenset(word for word in subject.split(" ") if 0 < len(word) <= LONGEST_WORD)


def chained(entry: Entry, last: Entry | None) -> Entry:
    """Return ``entry`` as the row behind ``last`` (None: as the first one)."""
    number, previous = (last.number + 1, last.hash) if last else (1, BEGINNING)
    placed = replace(entry, number=number, previous=previous)
    return replace(placed, hash=hash_of(placed))


def breaks(entries: Iterable[Entry], last: Entry | None = None) -> Iterable[Break]:
    """Yield where the chain of ``entries``, in order of their numbers, does not hold; ``last`` is the row before them."""
    for entry in entries:
        expected = last.number + 1 if last else 1
        if entry.number != expected:
            yield Break(expected, "missing" if entry.number > expected else "reordered")
        elif entry.previous != (last.hash if last else BEGINNING):
            yield Break(entry.number, "reordered")
        if entry.hash != hash_of(entry):
            yield Break(entry.number, "changed")
        last = entry
