"""Budgets: what a CA's rate limits leave, counted by ourselves, so that no order is spent on a certain refusal.

Token buckets by the generic cell rate algorithm (GCRA), as the CAs count: one moment for each bucket, when it will be
full again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.model.certificates import Certificate
from services.model.clock import rfc3339
from services.model.findings import CODES, Finding, Verdict
from services.model.settings import CaSettings
from services.model.text import Phrase, Text, say, say_n
from services.naming import registrable
from services.ports import Storage, Transaction

UNCOUNTED = (1, timedelta(0))
"""Stands for a limit that app.yaml does not have: nothing is counted, but what the CA itself says is kept."""
ORDERS = "orders"
"""The kind of the bucket that all orders of an account share."""
SLACK = timedelta(seconds=1)
"""A token that grows within this time is there: those who draw at the same moment read clocks that differ a little."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of a CA: what is counted, and for what."""

    ca: str
    kind: str
    """``orders``, ``domain``, ``set`` or ``failures``, as in `CaSettings.limits`."""
    subject: str
    """The domain, name or set of names; empty for the account."""
    count: int
    per: timedelta

    @property
    def key(self) -> str:
        """Key of the bucket in the database."""
        return f"{self.ca} {self.kind} {self.subject}".rstrip()

    @property
    def held(self) -> str:
        """Key of what the CA itself has said of the limit, apart: our own count ends with its limit in app.yaml."""
        return f"{self.key} held"

    @property
    def cost(self) -> timedelta:
        """How long one token takes to grow again."""
        return self.per / self.count


@dataclass(frozen=True, slots=True)
class Draw:
    """A change of one bucket: a token taken, which takes ``cost`` to grow again, or ``until`` when the CA refuses.

    A negative ``cost`` gives a token back.
    """

    key: str
    cost: timedelta = timedelta(0)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """A bucket that has nothing left until some moment."""

    bucket: Bucket
    until: datetime
    said: bool = False
    """Whether the CA has said so; else it is our own count."""


def set_hash(names: Sequence[str]) -> str:
    """Return what stands for an exact set of names, in any order."""
    return hashlib.sha256(" ".join(sorted(set(names))).encode()).hexdigest()[:24]


def order_buckets(
    ca: str, settings: CaSettings | None, domain: str, names: Sequence[str]
) -> tuple[Bucket, ...]:
    """Return the buckets that an order for ``names`` of the registrable ``domain`` takes a token from."""
    subjects = ((ORDERS, ""), ("domain", domain), ("set", set_hash(names)))
    return tuple(_bucket(ca, settings, kind, subject) for kind, subject in subjects)


def failure_buckets(ca: str, settings: CaSettings | None, names: Sequence[str]) -> tuple[Bucket, ...]:
    """Return the buckets of failed authorizations, one for each name."""
    return tuple(_bucket(ca, settings, "failures", name) for name in names)


def _bucket(ca: str, settings: CaSettings | None, kind: str, subject: str) -> Bucket:
    count, per = settings.limits.get(kind, UNCOUNTED) if settings else UNCOUNTED
    return Bucket(ca, kind, subject, max(count, 1), per)


def free_at(bucket: Bucket, full_at: datetime | None, now: datetime) -> datetime:
    """Return when the bucket has a token: ``now`` or later. It holds ``count`` tokens when it is full."""
    return now if full_at is None else max(now, full_at - (bucket.per - bucket.cost))


def keys(buckets: Sequence[Bucket]) -> list[str]:
    """Return the keys of all that there is to know of the buckets: our own counts, and what the CA said."""
    return [
        key for bucket in buckets for key in ((bucket.key, bucket.held) if bucket.cost else (bucket.held,))
    ]


def left(bucket: Bucket, full_at: datetime | None, now: datetime) -> int:
    """Return how many tokens a bucket that is counted has; it is full at ``full_at``."""
    used = max(timedelta(0), full_at - now) if full_at is not None else timedelta(0)
    return max(0, int((bucket.per - used) / bucket.cost))


def spent(buckets: Sequence[Bucket], full_at: Mapping[str, datetime], now: datetime) -> Spent | None:
    """Return the bucket that is without a token the longest; None if each has one. ``full_at`` is that of their `keys`."""
    held = [Spent(bucket, full_at.get(bucket.held, now), said=True) for bucket in buckets]
    counted = [
        Spent(bucket, free_at(bucket, full_at.get(bucket.key), now)) for bucket in buckets if bucket.cost
    ]
    found = max((*held, *counted), key=lambda one: one.until, default=None)
    return found if found is not None and found.until > now + SLACK else None


def taken(buckets: Sequence[Bucket]) -> tuple[Draw, ...]:
    """Return one token taken from each bucket that is counted."""
    return tuple(Draw(bucket.key, bucket.cost) for bucket in buckets if bucket.cost)


def reserve(tx: Transaction, buckets: Sequence[Bucket], now: datetime) -> bool:
    """Take one token from each bucket before an order is sent; False if one had none: then roll ``tx`` back.

    Taking first and judging after is what keeps two orders at the same moment from sharing the last token: whoever
    takes holds the row until the transaction ends.
    """
    held = tx.budgets.full_at([bucket.held for bucket in buckets])
    in_order = sorted(buckets, key=lambda bucket: bucket.key)  # as `write` does
    left = [tx.budgets.spend(b.key, b.cost, now) - now <= b.per + SLACK for b in in_order if b.cost]
    return all(left) and all(until <= now + SLACK for until in held.values())


def returned(buckets: Sequence[Bucket]) -> tuple[Draw, ...]:
    """Return the tokens that were reserved for an order that the CA did not take."""
    return tuple(Draw(bucket.key, -bucket.cost) for bucket in buckets if bucket.cost)


_MEANT: Mapping[str, str] = {
    "new orders": "orders",
    "exact set": "set",
    "failed authorizations": "failures",
    "failed validations": "failures",
    "already issued": "domain",
    "registered domain": "domain",
}
"""Words of a CA's refusal -> the limit that it speaks of; the first that is found counts. CAs say it in prose only."""


def refused(buckets: Sequence[Bucket], detail: str, until: datetime | None) -> tuple[Draw, ...]:
    """Return what a CA's refusal (429) means for the buckets: those it speaks of have no token before ``until``.

    A refusal whose words say nothing is taken for the narrowest limit, that of the exact set.
    """
    if until is None:
        return ()
    words = detail.lower()
    kind = next((kind for mark, kind in _MEANT.items() if mark in words), "set")
    meant = [bucket for bucket in buckets if bucket.kind == kind]
    named = [bucket for bucket in meant if bucket.subject and bucket.subject in words]
    said = tuple(Draw(bucket.held, until=until) for bucket in named or meant)
    # one token by then, so that not all who wait come at once
    counted = (Draw(b.key, until=until + b.per - b.cost) for b in named or meant if b.cost)
    return (*said, *counted)


def write(tx: Transaction, draws: Sequence[Draw], now: datetime) -> None:
    """Save what was taken and what the CA said; in the order of keys, so that no two wait for each other for ever."""
    for draw in sorted(draws, key=lambda draw: draw.key):
        if draw.until is not None:
            tx.budgets.hold(draw.key, draw.until)
        else:
            tx.budgets.spend(draw.key, draw.cost, now)


def tidy(storage: Storage, now: datetime) -> int:
    """Drop what has been full for a day: it says nothing any more; return how many. Safe in several processes at once."""
    with storage.write() as tx:
        return tx.budgets.forget(now - timedelta(days=1))


def exempt(certificate: Certificate, replaces: str | None, now: datetime) -> bool:
    """Tell whether a renewal is free of limits: it names what it replaces, inside the CA's window (RFC 9773 §5)."""
    window = certificate.window
    return replaces is not None and window is not None and window.start <= now < window.end


def look(storage: Storage, settings: CaSettings, name: str, now: datetime) -> datetime | None:
    """Return until when the CA's limits leave no certificate for ``name``, as far as we have counted; None: there is one.

    The limit of the exact set of names is left out: what the set will be is decided when the order is placed.
    """
    domain = registrable(name) or name
    asked = (
        *(b for b in order_buckets(settings.name, settings, domain, (name,)) if b.kind != "set"),
        *failure_buckets(settings.name, settings, (name,)),
    )
    return _spent_until(storage, asked, now)


def look_at_orders(storage: Storage, settings: CaSettings, now: datetime) -> datetime | None:
    """Return until when the CA takes no order of our account at all, as far as we have counted; None: it takes one."""
    return _spent_until(storage, (account_bucket(settings),), now)


def account_bucket(settings: CaSettings) -> Bucket:
    """Return the bucket from which every order of our account takes a token, whatever its names."""
    return _bucket(settings.name, settings, ORDERS, "")


def _spent_until(storage: Storage, asked: Sequence[Bucket], now: datetime) -> datetime | None:
    with storage.read() as tx:
        full_at = tx.budgets.full_at(keys(asked))
    found = spent(asked, full_at, now)
    return found.until if found else None


_WHAT: Mapping[str, Phrase] = {
    "orders": Phrase(
        "By our own count {ca} takes no further order from our account before {until}: its limit is {limit}."
    ),
    "domain": Phrase(
        "By our own count {ca} issues no further certificate for {domain} before {until}: its limit is {limit}."
    ),
    "set": Phrase(
        "By our own count {ca} issues no further certificate for exactly these names before {until}: its limit is {limit}."
    ),
    "failures": Phrase(
        "By our own count {ca} tries {subject} no more before {until}: its limit for failed validations is {limit}."
    ),
}
_SAID = Phrase("{ca} has said that its rate limit for {domain} leaves nothing before {until}.")


def waiting(found: Spent, certificate: Certificate, now: datetime) -> Finding:
    """Return why the certificate waits for a CA's budget, and until when."""
    bucket, code = found.bucket, "ca.rate_limited"
    template = _SAID if found.said else _WHAT[bucket.kind]
    summary = template.said(
        ca=bucket.ca,
        domain=certificate.domain,
        subject=bucket.subject,
        until=found.until,
        limit=_limit(bucket),
    )
    remedy = say("Nothing to do: certdesk goes on by itself at {until}.", until=found.until)
    evidence = {
        "ca": bucket.ca,
        "waits": True,
        "limit": bucket.kind,
        "until": rfc3339(found.until),
    }
    name = (certificate.attempt.names or certificate.wanted)[0]
    return Finding(code, Verdict.BLOCK, name, CODES[code].owner, summary, remedy, now, evidence)


def _limit(bucket: Bucket) -> Text:
    hours = round(bucket.per / timedelta(hours=1))
    if hours >= 48 and hours % 24 == 0:
        return say_n(
            "{count:,} in {days} days", "{count:,} in {days} days", count=bucket.count, days=hours // 24
        )
    if hours > 1:
        return say_n(
            "{count:,} in {hours} hours", "{count:,} in {hours} hours", count=bucket.count, hours=hours
        )
    return say_n("{count:,} in an hour", "{count:,} in an hour", count=bucket.count)
