"""The digest: when one is owed, and what it says: new, healed and open alerts, the forecast, what was done."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from services.alerting.forecast import foreseen
from services.desk import Desk
from services.model.alerts import Alert, Forecast
from services.model.certificates import Certificate
from services.model.clock import aware
from services.model.lifecycle import State
from services.model.settings import Alerting
from services.ports import Message, Transaction

KIND = "digest"
LATE = timedelta(hours=12)
"""So long after its time a digest that was missed is still put out."""
USUAL_TIME = time(9)
"""When the weekly digest comes, if there is no daily one."""
DAYS_AHEAD = 30
MOST_LISTED = 10
"""How many alerts, causes or certificates of one kind a digest names."""
MOST_LOOKED_AT = 20_000
"""Up to so many certificates the renewals done are counted; a larger fleet has them in its metrics."""
SETTLED = "digest"
"""Key under which the moment is held until which the last digest counts as put, or as left out because it was empty."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Edition:
    """One digest: which one it is and the time it speaks of."""

    kind: str
    """``daily`` or ``weekly``."""
    day: date
    since: datetime
    at: datetime
    """When it was to be put out; what happened from ``since`` to before this moment belongs to it."""

    @property
    def key(self) -> str:
        """The outbox key: one message for each edition."""
        return f"digest:{self.kind}:{self.day.isoformat()}"


def owed(desk: Desk, now: datetime) -> str | None:
    """Return the outbox key of the digest that is due and not settled yet; None if there is none.

    It comes at the local time of the policy's zone (a time that a change of clocks leaves out comes as much later as
    the clocks moved, one that comes twice counts at first), and up to `LATE` afterwards if certdesk was not running.
    """
    edition = _owed(desk, now)
    return None if edition is None else edition.key


def put(desk: Desk, now: datetime) -> bool:
    """Put the digest that is owed into the outbox; False if none is, or if it has nothing to say and may be left out.

    May be called at any time and from several processes: each edition is put once.
    """
    edition = _owed(desk, now)
    if edition is None:
        return False
    with desk.storage.read() as tx:
        body = contents(tx, desk.alerting, edition, now)
    empty = desk.alerting.digest_quiet and not _says_something(body)
    with desk.storage.write() as tx:
        if tx.outbox.by_key(edition.key) is not None:
            return False
        tx.budgets.hold(SETTLED, edition.at + LATE)
        if not empty:
            tx.outbox.put(Message.in_channel(edition.key, KIND, desk.alerting.channel, body, now))
    desk.wake()
    return not empty


def _owed(desk: Desk, now: datetime) -> Edition | None:
    edition = due(desk.alerting, now) if desk.alerting.channel else None
    if edition is None:
        return None
    with desk.storage.read() as tx:
        settled = tx.budgets.full_at([SETTLED]).get(SETTLED)
        known = tx.outbox.by_key(edition.key) is not None
    return None if known or (settled is not None and settled >= edition.at + LATE) else edition


def due(policy: Alerting, now: datetime) -> Edition | None:
    """Return the latest edition whose time has come and is not `LATE` ago, put or not; None if there is none."""
    zone = ZoneInfo(policy.timezone)
    today = aware(now).astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        edition = _edition(policy, zone, day)
        if edition is not None and edition.at <= now < edition.at + LATE:
            return edition
    return None


def _edition(policy: Alerting, zone: ZoneInfo, day: date) -> Edition | None:
    """Return the edition of a local day; None for a day that has none."""
    weekly = policy.digest_weekly.casefold() == _DAYS[day.weekday()]
    if not weekly and not policy.digest_daily:
        return None
    at = time.fromisoformat(policy.digest_daily) if policy.digest_daily else USUAL_TIME

    def moment(of: date) -> datetime:
        return aware(datetime.combine(of, at, zone))

    kind, days = ("weekly", 7) if weekly else ("daily", 1)
    return Edition(kind, day, moment(day - timedelta(days=days)), moment(day))


# --- what it says --------------------------------------------------------------------------------------------------


def contents(tx: Transaction, policy: Alerting, edition: Edition, now: datetime) -> dict[str, Any]:
    """Return the body of the edition's message: JSON-ready, and only what is shown.

    New and healed alerts are those of the edition's time; what is open, and the forecast, are as of ``now``.
    """
    opened, healed = tx.alerts.between(edition.since, edition.at)
    new = [alert for alert in opened if alert.open]
    still_open = tx.alerts.listing(MOST_LOOKED_AT, told=True)
    certificates = tx.certificates.listing(None, MOST_LOOKED_AT)
    support = [one for one in certificates if one.state is State.NEEDS_SUPPORT]
    complete = len(certificates) < MOST_LOOKED_AT
    return {
        "edition": edition.kind,
        "since": edition.since.isoformat(),
        "at": edition.at.isoformat(),
        "now": now.isoformat(),
        "new": _listed(new, _alert),
        "healed": _listed(healed, _alert),
        "open": _causes(still_open),
        "forecast": _forecast(foreseen(tx, policy, now, DAYS_AHEAD)),
        "renewed": _renewed(certificates, edition) if complete else None,
        "support": _listed(support, lambda one: {"name": one.wanted[0], "store": one.store}),
    }


def _says_something(body: Mapping[str, Any]) -> bool:
    """Tell whether anything in it needs, or has needed, somebody; renewals that went well do not."""
    counted = (body[key]["count"] for key in ("new", "healed", "open", "support"))
    return any(counted) or bool(body["forecast"]["blocked"])


def _listed(items: Sequence[Any], as_json: Callable[[Any], Mapping[str, Any]]) -> dict[str, Any]:
    return {"count": len(items), "items": [dict(as_json(item)) for item in items[:MOST_LISTED]]}


def _alert(alert: Alert) -> Mapping[str, Any]:
    return {
        "code": alert.code,
        "thing": alert.thing,
        "wide": alert.wide,
        "severity": int(alert.severity),
        "members": alert.members if alert.open else alert.most,
        "opened_at": alert.opened_at.isoformat(),
        "healed_at": _iso(alert.healed_at),
    }


def _causes(alerts: Iterable[Alert]) -> dict[str, Any]:
    """Return open alerts by code and owner, the gravest first."""

    def kind(alert: Alert) -> tuple[str, str]:
        return alert.code, alert.owner.value

    groups = [list(group) for _, group in groupby(sorted(alerts, key=kind), kind)]
    causes = [_cause(group) for group in groups]
    causes.sort(key=lambda one: (-one["severity"], -one["members"], one["code"]))
    count = sum(len(group) for group in groups)
    return {"count": count, "kinds": len(causes), "items": causes[:MOST_LISTED]}


def _cause(alerts: Sequence[Alert]) -> dict[str, Any]:
    first = alerts[0]
    deadlines = [alert.earliest for alert in alerts if alert.earliest is not None]
    return {
        "code": first.code,
        "thing": first.thing if len(alerts) == 1 else "*",
        "wide": first.wide,
        "owner": first.owner.value,
        "severity": max(int(alert.severity) for alert in alerts),
        "alerts": len(alerts),
        "members": sum(alert.members for alert in alerts),
        "earliest": _iso(min(deadlines, default=None)),
    }


def _forecast(found: Forecast) -> dict[str, Any]:
    rows = [
        {
            "code": row.code,
            "owner": row.owner.value,
            "band": int(row.band),
            "certificates": row.certificates,
            "earliest": _iso(row.earliest),
            "example": row.example,
        }
        for row in found.rows  # few: one for each code, owner and margin
    ]
    return {
        "days": DAYS_AHEAD,
        "until": found.until.isoformat(),
        "due": found.due,
        "blocked": found.blocked,
        "rows": rows,
    }


def _renewed(certificates: Iterable[Certificate], edition: Edition) -> int:
    """Return how many of the certificates were issued in the edition's time, by what stands in them."""
    return sum(
        one.installed is not None
        and one.not_before is not None
        and edition.since <= one.not_before < edition.at
        for one in certificates
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
