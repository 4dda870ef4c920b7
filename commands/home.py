"""The Home tab: what it is made of is gathered with the rights that the person has now, and what it follows is told."""

from dataclasses import dataclass, replace

from commands import home_view
from commands.alerts import MOST_LISTED, gather
from commands.caller import Action, Caller
from commands.home_memory import Shown
from commands.home_view import FEW_ALERTS, SIZE, Facts
from commands.reply import Page
from services import home, naming
from services.desk import Desk
from services.fleet import standings
from services.model.fleet import Excerpt, Portion
from services.model.text import NOTHING, Text, from_json
from services.ports import Message, Transaction

MOST_FOLLOWED = 100
"""Stores of one merchant in which a new certificate is shown at once."""
NOTED = 60
"""Seconds that a note of what came of a click stays."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A Home at one moment."""

    page: Page
    follows: frozenset[str]
    """What it has to be published anew for (`services.home`)."""


def look(desk: Desk, caller: Caller, message: Message) -> Seen:
    """Return the Home of ``caller`` as things stand; ``message`` says what is shown, and gives no right."""
    now = desk.clock()
    shown = home_view.begin(Shown.from_json(message.body.get("shown")), caller)
    links = {home.of_person(str(message.body["person"]))}
    if message.team:
        links.add(home.of_workspace(message.team))
    if not caller.may(Action.LOOK):
        return Seen(home_view.page(Facts(caller, now), desk.alerting), frozenset(links))
    with desk.storage.read() as tx:
        alerts = tuple(tx.alerts.listing(MOST_LISTED)) if caller.may(Action.ALERTS) else ()
        facts = Facts(
            caller,
            now,
            shown,
            tx.fleet.counts(caller.stores, now),
            alerts_open=len(alerts),
            note=_note(desk, message),
        )
        if shown.alerts:
            start = _start(shown, len(alerts))
            some = alerts[start : start + FEW_ALERTS]
            facts = replace(
                facts,
                alerts=tuple(gather(tx, desk, alert) for alert in some),
                first=(start,),
                last=(start + len(some),),
                earlier=start > 0,
                more=start + len(some) < len(alerts),
            )
        else:
            facts = _with_certificates(tx, facts)
    return Seen(home_view.page(facts, desk.alerting), frozenset({*links, *_followed(facts)}))


def _note(desk: Desk, message: Message) -> Text:
    """Return what came of the last click, as long as it is news."""
    note = message.body.get("note")
    if note is None or not home.within(message, desk.clock(), NOTED):
        return NOTHING
    return from_json(note)


def _start(shown: Shown, count: int) -> int:
    """Return the place of the first alert that is shown; there may be fewer by now than there were."""
    place = shown.after or shown.before or (0,)
    start = int(place[0]) - (FEW_ALERTS if shown.before is not None else 0)
    last_page = max(count - 1, 0) // FEW_ALERTS * FEW_ALERTS
    return min(max(start, 0), last_page)


def _with_certificates(tx: Transaction, facts: Facts) -> Facts:
    excerpt = _excerpt(tx, facts)
    at = facts.shown
    if not excerpt.certificates and (at.after is not None or at.before is not None):
        facts = replace(facts, shown=replace(at, after=None, before=None))  # what stood there is gone
        excerpt = _excerpt(tx, facts)
    return replace(
        facts,
        standings=standings(tx, excerpt, facts.now),
        first=next(iter(excerpt.positions), None),
        last=next(reversed(excerpt.positions), None),
        earlier=excerpt.before is not None,
        more=excerpt.more,
    )


def _excerpt(tx: Transaction, facts: Facts) -> Excerpt:
    shown, stores = facts.shown, facts.caller.stores
    at = {"after": shown.after, "before": shown.before}
    if not shown.search:
        return tx.fleet.page(shown.what or Portion.ALL, stores, facts.now, SIZE, **at)
    found = tx.fleet.search(naming.fragment(shown.search), stores, SIZE, **at)
    if found.certificates:
        return found
    return tx.fleet.search(shown.search.strip(), stores, SIZE, **at)  # ids of stores may have capitals


def _followed(facts: Facts) -> frozenset[str]:
    """Return what changes the page.

    One that shows alerts follows no certificate, and the other way round, so that a step of a certificate and the
    tending of an alert never wait for each other because of a Home.
    """
    if facts.shown.alerts:
        return frozenset({home.ALERTS, home.FLEET})
    stores = facts.caller.stores
    others = (
        {home.FLEET} if stores is None else {home.of_store(store) for store in sorted(stores)[:MOST_FOLLOWED]}
    )
    return frozenset({*others, *(one.certificate.id for one in facts.standings)})
