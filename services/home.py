"""Open Homes: each is a row of the outbox that follows what it shows, so that it is published anew when that changes.

The row says what is shown, never to whom it may be: rights are looked up at each publish.
"""

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any

from services.desk import Desk
from services.model.audiences import Kind
from services.model.clock import rfc3339
from services.model.identity import new_id
from services.model.text import NOTHING, Text, to_json
from services.ports import Message, Transaction

HOME = "home"
"""The kind of these messages, and what they leave by (`Message.via`)."""
LASTS = timedelta(hours=1)
"""How long after it was opened, or clicked in, a Home is kept up to date."""
SETTLES = timedelta(seconds=3)
"""How long changes are gathered: a Home is published at most once in this time, but for clicks, which are shown at once."""
ALERTS, FLEET = "alerts", "fleet"
"""What a Home follows that shows open alerts, and the counts of the whole fleet."""
Standing = Mapping[str, Hashable]
"""What Homes follow as a whole (`FLEET`, `of_store`) -> how it stands."""


def key(person: str, team: str = "") -> str:
    """Return the key of the message that is the Home of ``person`` (TEAM/USER) in the workspace ``team``."""
    return f"home:{team}:{person}" if team else f"home:{person}"


def of_person(person: str) -> str:
    """Return what a person's Home follows so that it changes when their links do."""
    return f"person {person}"


def of_workspace(team: str) -> str:
    """Return what a Home in another workspace follows so that it changes when the workspace's links do."""
    return f"workspace {team}"


def of_channel(channel: str) -> str:
    """Return what a message in a channel (as `placed`) follows that is for it as one of a store's."""
    return f"channel {channel}"


def of_links(kind: Kind, who: str) -> str:
    """Return what a Home, or a message in a channel of a store, follows so that it changes when the links of ``who`` do."""
    return _OF[kind](who)


_OF = {Kind.PERSON: of_person, Kind.CHANNEL: of_channel, Kind.WORKSPACE: of_workspace}


def of_store(store: str) -> str:
    """Return what a Home follows so that it changes when the store gets another certificate, or one that is not shown changes."""
    return f"store {store}"


def show(
    desk: Desk, person: str, shown: Mapping[str, Any] | None = None, note: Text = NOTHING, *, team: str
) -> None:
    """Have the Home of ``person`` (TEAM/USER) published at once, with a ``note`` of what came of a click.

    ``team`` is the workspace where they look at it; empty: the support workspace.

    Without ``shown`` it shows what it showed, if that is not too long ago; else what the person's role begins with.
    """
    with desk.storage.write() as tx:
        _put(tx, person, shown, note, desk.clock(), team)
    desk.wake()


def stir(desk: Desk, seen: Standing) -> Standing:
    """Have the Homes published anew that see the fleet, or a store, which is as a whole not as it was ``seen``.

    Return how each is now that somebody has open, for the next time. To be called every few seconds: no step of a
    certificate touches these Homes but those on whose page it is, for they would all wait for one another.
    """
    with desk.storage.read() as tx:
        stores = tx.outbox.followed_under(of_store(""))
        now = {thing: _standing(tx, frozenset({thing.removeprefix(of_store(""))}), desk) for thing in stores}
        if tx.outbox.followed(FLEET):
            alerts = tuple((alert.id, alert.version, alert.severity) for alert in tx.alerts.listing())
            now[FLEET] = (*_standing(tx, None, desk), alerts)
    for thing, standing in now.items():
        if standing != seen.get(thing):
            with desk.storage.write() as tx:
                tx.outbox.touch(thing, desk.clock())
    return now


def _standing(tx: Transaction, stores: frozenset[str] | None, desk: Desk) -> tuple[Hashable, ...]:
    """Return how many certificates stand how: what a Home shows of those that are not on its page."""
    counts = tx.fleet.counts(stores, desk.clock())
    return tuple(sorted(counts.states.items())), counts.unwell, counts.expired, counts.ending


def _put(
    tx: Transaction, person: str, shown: Mapping[str, Any] | None, note: Text, now: datetime, team: str
) -> None:
    before = tx.outbox.by_key(key(person, team))
    if shown is None:
        shown = before.body.get("shown", {}) if before is not None and lately(before, now) else {}
    body = {"person": person, "shown": shown, "opened_at": rfc3339(now)}
    message = Message(
        id=new_id("msg"),
        key=key(person, team),
        kind=HOME,
        channel="",
        user=person.rpartition("/")[2],
        private=True,
        body=body | ({"note": to_json(note)} if note != NOTHING else {}),
        created_at=now,
        follows=before.follows if before is not None else (),
        run_after=now - SETTLES,
        via=HOME,
        team=team,
    )
    tx.outbox.put(message)


def within(message: Message, now: datetime, seconds: float) -> bool:
    """Tell whether a Home was opened, or clicked in, at most so many seconds ago."""
    return now - datetime.fromisoformat(str(message.body["opened_at"])) <= timedelta(seconds=seconds)


def lately(message: Message, now: datetime) -> bool:
    """Tell whether a Home was opened, or clicked in, so lately that somebody may be looking at it."""
    return within(message, now, LASTS.total_seconds())
