"""What a certificate's sightings write: who joins and leaves which alert, and which alerts that opens, stirs or reopens.

Every change names the alert that it touches, and `write` makes them in the order of those names: two transactions that
touch the same alerts then wait for each other instead of holding each other up for ever.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.alerting.causes import Found, machines
from services.model.alerts import Alert, Sighting, collective_key
from services.model.certificates import Certificate
from services.model.findings import Finding
from services.model.identity import new_id
from services.model.settings import Alerting
from services.ports import Transaction

HOUR = timedelta(hours=1)
"""The time in which a burst counts."""

Touch = tuple[str, Callable[[], None]]
"""The key of an alert, and what is written that touches it."""
Joining = tuple[Sighting, Sighting | None, Found]
"""A sighting that is to be written, as it was before (None: it is new), and what it was found by."""

LEAST = timedelta(microseconds=1)
"""How much later than the one before an episode begins at least."""


def write(touches: Iterable[Touch]) -> None:
    """Make the changes, those of one alert after those of the one before it."""
    for _, change in sorted(touches, key=lambda touch: touch[0]):
        change()


def leave(tx: Transaction, policy: Alerting, gone: Sighting, now: datetime) -> Touch:
    """Return the change that forgets a sighting; its alert loses a member."""

    def change() -> None:
        tx.alerts.drop_sighting(gone.certificate, gone.key)
        if gone.confirmed:
            tx.alerts.stir(gone.alert, _soon(tx, gone.alert, policy, now))

    return gone.alert, change


def keep(tx: Transaction, policy: Alerting, sighting: Sighting, found: Found, now: datetime) -> Touch:
    """Return the change for a sighting that stands as it is: its alert is opened if there is none."""

    def change() -> None:
        if sighting.confirmed and not _has_alert(tx, sighting.alert):
            _open(tx, policy, sighting, found, now)

    return sighting.alert, change


def join(tx: Transaction, policy: Alerting, sightings: Sequence[Joining], now: datetime) -> Sequence[Touch]:
    """Return the changes that write sightings; a newly confirmed one joins its alert, which is opened if there is none."""
    homeless = [one for one in sightings if one[0].confirmed and not _has_alert(tx, one[0].alert)]
    _take_turns(tx, homeless, now)
    return [_joined(tx, policy, one, now, place=one in homeless) for one in sightings]


def _take_turns(tx: Transaction, homeless: Sequence[Joining], now: datetime) -> None:
    """Let one transaction at a time open alerts of a code: those that open some at one moment all count."""
    for code in sorted({new.code for new, _, _ in homeless}):
        tx.budgets.hold(f"burst {code}", now)


def _joined(tx: Transaction, policy: Alerting, one: Joining, now: datetime, *, place: bool) -> Touch:
    new, old, found = one
    joined = replace(new, alert=_place(tx, policy, found, now)) if place else new
    told = not joined.confirmed or (
        old is not None and old.confirmed and not place and not _material(old, joined)
    )

    def change() -> None:
        # written first, then stirred, then looked at: whoever heals the alert meanwhile sees the one or the other
        tx.alerts.put_sighting(joined)
        if told:
            return
        tx.alerts.stir(joined.alert, _soon(tx, joined.alert, policy, now))
        if not _has_alert(tx, joined.alert):
            _open(tx, policy, joined, found, now)

    return joined.alert, change


def refresh(tx: Transaction, certificate: Certificate, found: Found, now: datetime) -> Touch:
    """Return the change that stirs the alert of one domain or store when what it says of its certificate is no longer so."""

    def change() -> None:
        alert = None if found.cause.wide else tx.alerts.latest(found.cause.key)
        if alert is None or not alert.open or alert.lead is None or alert.members == 0:
            return
        mine = alert.lead.name == found.finding.name
        stale = alert.next_attempt is not None and alert.next_attempt <= now
        if stale or alert.failures < certificate.failures or (mine and _differs(alert.lead, found.finding)):
            tx.alerts.stir(alert.key, now)

    return found.cause.key, change


def tell_anew(tx: Transaction, found: Found, now: datetime) -> Touch:
    """Return the change that puts what was found of certdesk itself into its alert, which alone keeps it."""

    def change() -> None:
        alert = tx.alerts.latest(found.cause.key)
        if alert is not None and alert.open and _differs(alert.lead, found.finding):
            # not saved while somebody tends it: the next look brings it
            tx.alerts.change(replace(alert, lead=found.finding, due_at=now), now)

    return found.cause.key, change


def _material(old: Sighting, new: Sighting) -> bool:
    """Tell whether an alert has to be looked at again because of what changed about a member."""
    return (old.deadline, old.lifetime, old.blocks) != (new.deadline, new.lifetime, new.blocks)


def _has_alert(tx: Transaction, key: str) -> bool:
    alert = tx.alerts.latest(key)
    return alert is not None and alert.open


def _soon(tx: Transaction, key: str, policy: Alerting, now: datetime) -> datetime:
    """Return when a change of members is looked at: at once, or gathered for a while where many come and go."""
    alert = tx.alerts.latest(key)
    crowd = alert is not None and alert.members > 1
    return now + policy.settle if crowd else now


def _place(tx: Transaction, policy: Alerting, found: Found, now: datetime) -> str:
    """Return the key of the alert that a cause joins: its own, or the collective one when too many were opened lately.

    A shared cause joins the one that was opened lately about any of its machines: of those that fail by turns each
    certificate may have met others, and any choice of them would be an alert of its own. What is older, and perhaps
    acknowledged, must not swallow a new outage.
    """
    cause = found.cause
    if cause.wide:
        mine = machines(cause.key, cause.code)
        lately = (one.key for one in tx.alerts.shared(cause.code) if now - one.opened_at < HOUR)
        return next((key for key in lately if machines(key, cause.code) & mine), cause.key)
    if _reopens(tx.alerts.latest(cause.key), policy, now):
        return cause.key
    burst = tx.alerts.opened_since(cause.code, now - HOUR) >= policy.burst
    return collective_key(cause.code) if burst else cause.key


def _reopens(alert: Alert | None, policy: Alerting, now: datetime) -> bool:
    return alert is not None and alert.healed_at is not None and now - alert.healed_at <= policy.reopen


def _open(tx: Transaction, policy: Alerting, sighting: Sighting, found: Found, now: datetime) -> None:
    """Open the alert, or the one that healed a short while ago again. Whoever opens it first opens it for all."""
    latest = tx.alerts.latest(sighting.alert)
    if latest is not None and _reopens(latest, policy, now):
        again = replace(latest, healed_at=None, due_at=now, lead=found.finding)
        if tx.alerts.change(again, now):
            return
    # not when it was first seen, which may be long ago: bursts and digests count what is opened, and the newest alert of a
    # key must be the one that began last
    opened_at = max(now, (latest.healed_at or latest.opened_at) + LEAST) if latest else now
    tx.alerts.add(
        Alert(
            id=new_id("alert"),
            key=sighting.alert,
            code=found.cause.code,
            thing=sighting.alert.removeprefix(f"{sighting.code} "),
            owner=found.cause.owner,
            wide=found.cause.wide,
            opened_at=opened_at,
            lead=found.finding,
            due_at=now,
        )
    )


def _differs(one: Finding | None, other: Finding) -> bool:
    return one is None or (one.summary, one.remedy) != (other.summary, other.remedy)
