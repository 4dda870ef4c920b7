"""What costs or destroys waits for a yes: proposed, decided once, done in the same transaction as the decision, or run out."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from services.desk import Desk
from services.issuance.adding import TRIES, BusyError
from services.model.audit import DONE, ITSELF, Entry
from services.model.deeds import EXPIRED, NO, YES, approved_by, asked_by, decided_on
from services.model.proposals import Party, Proposal, Refusal, Stage, refusal
from services.ports import Message, Transaction

_Done = TypeVar("_Done")
Perform = Callable[[Desk, Transaction, Proposal, datetime], Mapping[str, Any]]
"""Does what was proposed with the database alone, and returns `Proposal.result`.

It runs in the transaction of the decision, so that it is done once or not at all: what takes longer, or asks anybody
outside, it leaves to the workers as a row. Raises BusyError if a row is held just now (it is then tried again), and
other CertdeskErrors for what cannot be done: nothing is decided then.
"""
MESSAGE = "approval"
"""Kind of the messages that show a proposal and what became of it."""
MOST_LAPSED = 100
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Acts:
    """What a decision needs to know of the action."""

    perform: Perform
    subject: str
    """What the audit trail says it is done to."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of a click."""

    proposal: Proposal | None
    """As it stands now; None if there is none."""
    refused: Refusal | None
    """Why the click did not count; None: it did."""


def asked_key(proposal: str) -> str:
    """Return the key of the message that shows the proposal where it was asked."""
    return f"approval:{proposal}"


def shown_key(proposal: str) -> str:
    """Return the key of the message that shows the proposal in the channel of those who can decide it."""
    return f"approval:{proposal}:deciders"


def halted_key(proposal: str) -> str:
    """Return the key of the message that shows to support that certdesk has paused the job that was proposed."""
    return f"approval:{proposal}:halted"


def told_key(proposal: str, channel: str) -> str:
    """Return the key of the message that shows the proposal in a channel of the store that it is about."""
    return f"approval:{proposal}:{channel}"


def keys(proposal: Proposal) -> tuple[str, ...]:
    """Return the keys of all messages that show the proposal; not all of them need be there."""
    there = (told_key(proposal.id, channel) for channel in proposal.told_in)
    return asked_key(proposal.id), shown_key(proposal.id), *there


def propose(desk: Desk, proposal: Proposal, messages: Sequence[Message] = ()) -> None:
    """Keep the proposal, with the messages that show it to those who can decide it. Again with the same id it changes nothing."""
    with desk.storage.write() as tx:
        if tx.proposals.add(proposal):
            for message in messages:
                tx.outbox.put(message)
    desk.wake()


def known(desk: Desk, proposal: str, among: frozenset[str] | None = None) -> Proposal | None:
    """Return the proposal with this id, or None; with ``among`` only if all that it is about are these stores."""
    with desk.storage.read() as tx:
        return tx.proposals.get(proposal, among)


def decide(
    desk: Desk, proposal: Proposal, clicker: Party, asker: Party, acts: Acts, *, yes: bool, tries: int = TRIES
) -> Decision:
    """Take the clicker's ``yes`` or no; with a yes that counts, what was proposed is done in the same transaction.

    ``clicker`` and ``asker`` are as they stand now, not as they stood when it was proposed. Of two clicks at once one
    counts. Raises what `Perform` raises: nothing is decided then, and it can be clicked again.
    """
    decision = _patiently(lambda: _decide(desk, proposal.id, clicker, asker, acts, yes=yes), tries)
    desk.wake()
    return decision


def _decide(desk: Desk, proposal: str, clicker: Party, asker: Party, acts: Acts, *, yes: bool) -> Decision:
    now = desk.clock()
    with desk.storage.write() as tx:
        stored = tx.proposals.get(proposal)
        refused = Refusal.UNKNOWN if stored is None else refusal(stored, clicker, asker, now, yes=yes)
        if stored is None or refused is not None:
            return Decision(stored, refused)
        stage = Stage.DONE if yes else Stage.DECLINED
        decided = tx.proposals.decide(proposal, stage, clicker.person, clicker.role, now)
        if decided is None:  # somebody else's click came in between
            return Decision(tx.proposals.get(proposal), Refusal.LATE)
        if yes:
            decided = _done(desk, tx, decided, acts.perform, now)
        _show(tx, decided, now)
        for entry in _kept(decided, asker, acts.subject, now):
            tx.audit.append(entry)
    return Decision(decided, None)


def _done(desk: Desk, tx: Transaction, decided: Proposal, perform: Perform, now: datetime) -> Proposal:
    result = perform(desk, tx, decided, now)
    tx.proposals.settle(decided.id, result)
    return replace(decided, result=result)


def _kept(made: Proposal, asker: Party, subject: str, now: datetime) -> tuple[Entry, ...]:
    """Return what the audit trail keeps: the decision, and what was done by it, each with both persons."""
    yes, by = made.stage is Stage.DONE, made.decided_by
    about = decided_on(made.id, made.action, subject)
    decision = Entry(now, by, made.decided_role, YES if yes else NO, about, DONE, asked_by(made.person))
    if not yes:
        return (decision,)
    why = approved_by(by, made.id)
    return decision, Entry(now, made.person, asker.role, made.action, subject, DONE, why)


def expire(desk: Desk, subject: Callable[[Proposal], str]) -> int:
    """Close what has run out, so that its messages say so; return how many. Safe in several processes at once.

    What is closed is kept in the audit trail in the same transaction, with what it was to be done to (``subject``).
    """
    now = desk.clock()
    with desk.storage.read() as tx:
        lapsed = tx.proposals.lapsed(now, MOST_LAPSED)
    closed = 0
    for proposal in lapsed:
        with desk.storage.write() as tx:
            expired = tx.proposals.expire(proposal, now)
            if expired is not None:
                _show(tx, expired, now)
                about = decided_on(expired.id, expired.action, subject(expired))
                asker = asked_by(expired.person)
                tx.audit.append(Entry(now, ITSELF, ITSELF, EXPIRED, about, DONE, asker))
                closed += 1
    return closed


def _show(tx: Transaction, proposal: Proposal, now: datetime) -> None:
    """Let every message of the proposal show what became of it, and from then on the certificates that it is about."""
    follows = tuple(proposal.result.get("follows", ()))
    for key in keys(proposal):
        message = tx.outbox.by_key(key)
        if message is not None:
            # a channel of the store's goes on following its link
            tx.outbox.put(replace(message, follows=(*message.follows, *follows), run_after=now))


def at_once(desk: Desk, proposal: Proposal, perform: Perform, tries: int = TRIES) -> Mapping[str, Any]:
    """Do what was proposed without a question, for whoever needs none; return `Proposal.result`. Raises what `Perform` raises."""

    def act() -> Mapping[str, Any]:
        with desk.storage.write() as tx:
            return perform(desk, tx, proposal, desk.clock())

    result = _patiently(act, tries)
    desk.wake()
    return result


def _patiently(act: Callable[[], _Done], tries: int) -> _Done:
    """Return what ``act`` returns; while a worker holds a row for the length of a step it is tried again."""
    while True:
        tries -= 1
        try:
            return act()
        except BusyError:
            if tries <= 0:
                raise
            time.sleep(0.05)
