"""Where an order can go now: CAs that are broken or whose limits are spent are passed over, and waited for if none is left."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.issuance.move import Move, Parts
from services.issuance.planning import Route, forbidden_cas, next_route
from services.model.certificates import Attempt, Certificate
from services.model.findings import Finding
from services.model.lifecycle import Event, State
from services.model.pacing import Breaker
from services.ports import Transaction
from services.renewal import breaker, budget
from services.renewal.timing import last_sixth, near_expiry

FIRST_PAUSE = timedelta(seconds=30)
"""The least that a certificate waits for a budget; twice as long with each look that finds nothing."""
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """No order can be placed before some moment, and why."""

    until: datetime
    problem: Finding


@dataclass(frozen=True, slots=True)
class Way:
    """Where an order goes."""

    route: Route
    replaces: str | None
    """PEM of the certificate that it renews (RFC 9773 §5): only one of the same CA can be named."""
    tries: tuple[str, ...]
    """Things whose breaker is open and that it is the canary for; empty in good times."""
    buckets: tuple[budget.Bucket, ...]
    """What it takes a token from; none for a renewal that is exempt."""


@dataclass(frozen=True, slots=True)
class Field:
    """What is known of every CA and target at one moment."""

    now: datetime
    chance: float
    cas: tuple[str, ...]
    challenges: tuple[str, ...]
    replaces: Mapping[str, str | None]
    """CA -> PEM of the certificate that an order there would replace."""
    buckets: Mapping[str, tuple[budget.Bucket, ...]]
    """CA -> what an order would take a token from."""
    spent: Mapping[str, budget.Spent]
    """CAs whose limits leave nothing, as far as we have counted."""
    breakers: Mapping[str, Breaker]
    """Thing -> its open breaker."""
    targets: tuple[str, ...]
    near_expiry: bool
    """Then our own counts are no obstacle (the CA is the judge), and no target's breaker is waited for."""


def survey(parts: Parts, certificate: Certificate) -> Field:
    """Gather what decides where the attempt's order can go, in one look at the database."""
    now = parts.clock()
    names, cas = certificate.attempt.names, tuple(parts.cas)
    with parts.storage.read() as tx:
        installed = tx.certificates.revision(certificate.installed) if certificate.installed else None
        replaces = {ca: installed.chain if installed and installed.ca == ca else None for ca in cas}
        orders = {
            ca: ()
            if budget.exempt(certificate, replaces[ca], now)
            else budget.order_buckets(ca, parts.limits.get(ca), certificate.domain, names)
            for ca in cas
        }
        failures = {ca: budget.failure_buckets(ca, parts.limits.get(ca), names) for ca in cas if orders[ca]}
        asked = {ca: (*orders[ca], *failures.get(ca, ())) for ca in cas}
        full_at = tx.budgets.full_at([key for some in asked.values() for key in budget.keys(some)])
        opened = {one.thing: one for one in tx.breakers.all() if breaker.barring(one, now)}
    spent = {ca: found for ca in cas if (found := budget.spent(asked[ca], full_at, now))}
    return Field(
        now=now,
        chance=parts.chance(),
        cas=cas,
        challenges=tuple(parts.responders),
        replaces=replaces,
        buckets=orders,
        spent=spent,
        breakers=opened,
        targets=tuple(target.name for target in parts.targets),
        near_expiry=near_expiry(certificate, now),
    )


def decide(field: Field, attempt: Attempt, name: str, certificate: Certificate) -> Way | Stay | None:
    """Return where the order goes, or until when it waits; None if no route is left that could ever be taken.

    A certificate that cannot be deployed anywhere is not worth an order: it waits for the targets as well, but near
    expiry, and but for one that tries a target where all canaries have failed, or none comes: those may be to blame
    themselves. Where one target is in order, the order goes on: shoppers behind that one must not suffer from another.
    """
    left = [ca for ca in field.cas if next_route(attempt.names, (ca,), field.challenges, attempt.tried)]
    if not left:
        return None
    full = () if field.near_expiry else _out_of_order(field)
    for broken in full:
        if breaker.shut(broken, field.now) or not breaker.stubborn(broken, field.now):
            return _at_breaker(field, broken, name)
    able = [ca for ca in left if not _shut(field, ca)]
    cas = [ca for ca in able if ca not in field.spent] or (able if field.near_expiry else [])
    route = next_route(attempt.names, cas, field.challenges, attempt.tried)
    if route is None:
        return min((_stay(field, ca, name, certificate) for ca in left), key=lambda stay: stay.until)
    ca = breaker.ca_thing(route.ca)
    tries = (*(broken.thing for broken in full), *((ca,) if ca in field.breakers else ()))
    return Way(route, field.replaces[route.ca], tries, field.buckets[route.ca])


def _out_of_order(field: Field) -> tuple[Breaker, ...]:
    """Return the targets' breakers if all of them are open, else none."""
    opened = [field.breakers.get(breaker.target_thing(target)) for target in field.targets]
    return tuple(one for one in opened if one is not None) if all(opened) else ()


def _shut(field: Field, ca: str) -> bool:
    return breaker.shut(field.breakers.get(breaker.ca_thing(ca)), field.now)


def _stay(field: Field, ca: str, name: str, certificate: Certificate) -> Stay:
    broken = field.breakers.get(breaker.ca_thing(ca))
    if broken is not None and breaker.shut(broken, field.now):
        return _at_breaker(field, broken, name)
    found = field.spent[ca]
    return Stay(found.until, budget.waiting(found, certificate, field.now))


def _at_breaker(field: Field, broken: Breaker, name: str) -> Stay:
    until = breaker.returns_at(broken, field.now, field.chance)
    return Stay(until, breaker.waiting(broken, name, field.now))


def way_for(parts: Parts, certificate: Certificate) -> Way | Stay | None:
    """Return where the attempt's order can go now, as `decide` does. It is only a look: nothing is taken."""
    attempt = certificate.attempt
    name = (attempt.names or certificate.wanted)[0]
    return decide(survey(parts, certificate), attempt, name, certificate)


def elsewhere(parts: Parts, certificate: Certificate) -> bool:
    """Tell whether a CA could take an order now that is not the one whose rate limit the last attempt has met."""
    attempt, problem = certificate.attempt, certificate.problem
    refuser = problem.evidence.get("ca") if problem is not None else None
    with parts.storage.read() as tx:
        findings = tx.certificates.findings(certificate.id)
    found = {name: [f for f in findings if f.name == name] for name in attempt.names}
    out = (refuser, *forbidden_cas(attempt.names, found, parts.cas))
    field = survey(parts, certificate)
    return any(ca not in out and ca not in field.spent and not _shut(field, ca) for ca in field.cas)


class _ForestalledError(Exception):
    """Another one took the canary's place or the last token between the look and the taking."""


def taken(parts: Parts, certificate: Certificate) -> Way | Stay | None:
    """As `way_for`, and take what the way needs: the canary's place at open breakers, and a token of each budget.

    Whom another one forestalls looks again: the way is shut for it by then.
    """
    while True:
        way = way_for(parts, certificate)
        if not (isinstance(way, Way) and (way.tries or any(bucket.cost for bucket in way.buckets))):
            return way  # nothing is counted and nothing broken: there is nothing to take
        with contextlib.suppress(_ForestalledError), parts.storage.write() as tx:
            _take(tx, way, parts.clock(), judged=not near_expiry(certificate, parts.clock()))
            return way


def _take(tx: Transaction, way: Way, now: datetime, *, judged: bool) -> None:
    """Take it all, or raise _ForestalledError, which takes nothing; what is not ``judged`` may overdraw a budget."""
    if not all(breaker.let_through(tx, thing, now) for thing in way.tries):
        raise _ForestalledError
    if not budget.reserve(tx, way.buckets, now) and judged:
        raise _ForestalledError


def postponed(parts: Parts, certificate: Certificate, stay: Stay) -> Move:
    """Return the move to waiting, without a failure or a strike; the checks look again before it goes on."""
    now = parts.clock()
    moved = certificate.moved(Event.POSTPONED, now=now, run_after=_back(parts, certificate, stay))
    said = "" if same_wait(stay.problem, certificate.problem) else Event.POSTPONED.value
    kept = replace(
        moved,
        problem=stay.problem,
        retry_at=stay.until,
        stopped_at=State.ORDERING,
        attempt=replace(moved.attempt, tried=())
        if certificate.state is not State.CHECKING
        else moved.attempt,
    )
    return Move(kept, said, stay.problem.summary)


def waits_on(parts: Parts, certificate: Certificate) -> Move | None:
    """Return the move that goes on waiting, if what a postponed certificate waits for is still in the way."""
    way = way_for(parts, certificate)
    if not isinstance(way, Stay):
        return None
    polls = certificate.attempt.polls + 1
    kept = replace(
        certificate,
        attempt=replace(certificate.attempt, polls=polls),
        problem=way.problem,
        retry_at=way.until,
        run_after=_back(parts, certificate, way, polls),
        updated_at=parts.clock(),
    )
    return Move(kept)


def _back(parts: Parts, certificate: Certificate, stay: Stay, polls: int = 0) -> datetime:
    """Return when to look again: a little after the moment, rarer with each look, so that many do not come at once.

    It is no later than near expiry begins: from there on the CA is the judge of what we have counted.
    """
    now = parts.clock()
    if stay.problem.code in breaker.WIDE or "target" in stay.problem.evidence:
        return stay.until
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(polls, 10)))
    due = max(stay.until, now + pause) + pause * parts.chance()
    latest = now + parts.renewing.watch
    judged = last_sixth(certificate)
    return min(due, latest, judged if judged is not None and judged > now else latest)


def same_wait(one: Finding, other: Finding | None) -> bool:
    """Tell whether two findings speak of the same wait: hours of it are one row of history."""
    return (
        other is not None and (one.code, one.name) == (other.code, other.name) and "waits" in other.evidence
    )


def breaks(parts: Parts, ca: str) -> Breaker | None:
    """Return the CA's breaker if it is open."""
    with parts.storage.read() as tx:
        return _open(tx, breaker.ca_thing(ca), parts.clock())


def _open(tx: Transaction, thing: str, now: datetime) -> Breaker | None:
    found = tx.breakers.get(thing)
    return found if breaker.barring(found, now) else None


def target_turns(
    parts: Parts, certificate: Certificate, names: Sequence[str]
) -> tuple[Mapping[str, Breaker], frozenset[str]]:
    """Return which of the targets ``names`` the certificate may not try now, each with its breaker, and which it is the canary of."""
    now = parts.clock()
    with parts.storage.read() as tx:
        opened = {
            name: one for name in names if (one := _open(tx, breaker.target_thing(name), now)) is not None
        }
    barred = {name: one for name, one in opened.items() if not breaker.turn(one, certificate.id, now)}
    canary: set[str] = set()
    if len(barred) < len(opened):
        with parts.storage.write() as tx:
            for name in opened.keys() - barred.keys():
                if breaker.let_through(tx, opened[name].thing, now):
                    canary.add(name)
                else:
                    barred[name] = tx.breakers.get(opened[name].thing) or opened[name]
    return barred, frozenset(canary)
