"""Alerts: one root cause that keeps certificates from renewing, its members, and how grave it is."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from services.model.findings import Finding, Owner


class Severity(IntEnum):
    """How grave an alert is, by the margin that is left; a higher one is worse."""

    INFO = 0
    WARNING = 1
    URGENT = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Cause:
    """A root cause: a finding's code and the one thing that is broken."""

    code: str
    thing: str
    """What is broken: a name server, a CA, an edge address, a deploy target, a store or a domain."""
    owner: Owner
    wide: bool = False
    """Whether it is the platform's or a CA's, so that certificates of many stores share it."""

    @property
    def key(self) -> str:
        """What tells the cause from every other one."""
        return f"{self.code} {self.thing}"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One certificate seen to suffer from one cause: a row for as long as it lasts."""

    certificate: str
    """Id of the certificate; ``certdesk`` for what certdesk finds about itself."""
    key: str
    """The cause's key."""
    alert: str
    """Key of the alert it belongs to: the cause's own, that of a shared cause which has a machine in common with it, or
    the collective one of its code (`collective_key`)."""
    code: str
    owner: Owner
    store: str
    name: str
    """The name that the finding speaks of."""
    blocks: bool
    """Whether it stands in the way of renewal; otherwise it is a warning."""
    position: int
    """0 for the certificate's foremost cause, by which it is counted in the forecast."""
    first_seen: datetime
    last_seen: datetime
    confirmed: bool
    """Whether it is certain, or was seen at least twice, apart in time: only then is it a member of the alert."""
    deadline: datetime | None = None
    """When harm is done: the expiry of the installed certificate, or of the registration; None if nothing is live."""
    lifetime: timedelta | None = None
    """Of the installed certificate; short-lived ones have thresholds in proportion."""
    renews_at: datetime | None = None
    """When the certificate would renew."""


@dataclass(frozen=True, slots=True)
class Tally:
    """An alert's confirmed members, counted."""

    certificates: int = 0
    stores: int = 0
    blocked: int = 0
    """Those for which it stands in the way of renewal."""
    earliest: datetime | None = None
    """The first deadline among them."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One root cause while it lasts: one episode, one message in each channel, edited in place."""

    id: str
    key: str
    """Of open alerts, unique."""
    code: str
    thing: str
    owner: Owner
    wide: bool
    opened_at: datetime
    """When its first member was confirmed; the members themselves tell since when they suffer."""
    version: int = 1
    """Grows with each change that people act upon; every button carries it, and a click with an older one does nothing."""
    severity: Severity = Severity.INFO
    said: Severity | None = None
    """The highest severity that people were told of; None before anything was said."""
    healed_at: datetime | None = None
    lead: Finding | None = None
    """The finding of the member with the earliest deadline: what the message says was found, and the fix."""
    members: int = 0
    """Confirmed members when it was last looked at."""
    most: int = 0
    """The most there ever were."""
    failures: int = 0
    """Failed attempts in a row of the member that failed most."""
    next_attempt: datetime | None = None
    """When certdesk next tries or looks by itself at any member."""
    earliest: datetime | None = None
    """The first deadline among the members."""
    acked_by: str = ""
    """TEAM/USER of who acknowledged it; empty if nobody has."""
    acked_at: datetime | None = None
    acked: Severity | None = None
    """The severity that was acknowledged: a higher one speaks up again."""
    snoozed_by: str = ""
    snoozed_until: datetime | None = None
    handed_to: str = ""
    """TEAM/USER of who handed it to support; empty if nobody has."""
    channels: tuple[str, ...] = ()
    """Ids of the Slack channels that it was told in."""
    hooks: tuple[str, ...] = ()
    """Names of the webhooks that it was told to."""
    due_at: datetime | None = None
    """When it is to be looked at next."""
    stirred: int = 0
    """Grows with each change of its members."""
    fence: int = 0
    lease_until: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it lasts."""
        return self.healed_at is None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Certificates that will not renew as things stand, of one code, owner and margin."""

    code: str
    owner: Owner
    band: Severity
    """By the margin that is left, as an alert's severity."""
    certificates: int
    earliest: datetime | None
    example: str
    """The name of one of them, the one with the earliest deadline."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will not renew by some moment, as things stand."""

    until: datetime
    due: int
    """Certificates whose renewal falls due until then (or is overdue)."""
    blocked: int
    """Those of them that will not renew, each counted once."""
    rows: tuple[Outlook, ...] = field(default=())
    """The same by code, owner and band, the most certificates first."""


SELF = "certdesk"
"""Stands for the certificate in sightings of certdesk's own health."""


def collective_key(code: str) -> str:
    """Return the key of the alert that gathers a sudden multitude of causes of one code."""
    return f"{code} *"
