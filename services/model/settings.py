"""What the services need to know of the configuration, as frozen types; bot/config.py fills them from app.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Platform:
    """The hosted-shop platform: where its stores' DNS and web traffic should lead."""

    name_servers: tuple[str, ...] = ()
    """Host names, lower case, without the final dot."""
    addresses: tuple[IPv4Address | IPv6Address, ...] = ()
    """The edge's addresses."""
    default_domains: tuple[str, ...] = ()
    """Suffixes of default domains, such as moon.shops.test: no certificate is issued for them."""
    cname_target: str = ""
    """Host name that sub-domains may point to; empty if there is none."""
    admin_url: str = ""
    """Address of a store's page on the platform, with ``{store}`` where its id stands; empty: nobody pastes those."""


@dataclass(frozen=True, slots=True)
class CaSettings:
    """One ACME CA of the list that is tried in order."""

    name: str
    directory: str
    profile: str | None = None
    eab_kid: str | None = None
    eab_hmac: str | None = field(default=None, repr=False)
    """External account binding key, base64url (RFC 8555 §7.3.4)."""
    ca_bundle: Path | None = None
    """PEM file of roots that the directory's own TLS is checked against; None means the system's."""
    caa_domains: tuple[str, ...] = ()
    """Issuer domain names of the CA in CAA records (RFC 8659 §4.2)."""
    contact: tuple[str, ...] = ()
    """Contact URLs of the account, such as mailto:…; may be empty."""
    limits: Mapping[str, tuple[int, timedelta]] = field(default_factory=dict, hash=False)
    """The CA's rate limits as (count, per how long): ``orders`` of the account, ``domain`` for certificates of one
    registrable domain, ``set`` for one exact set of names, ``failures`` for failed authorizations of one name; one that
    is not there is not counted."""
    max_names: int = 100
    """Names that one certificate of the CA (and its profile) may have."""


@dataclass(frozen=True, slots=True)
class DnsUpdate:
    """Where dns-01 records are written: RFC 2136 dynamic update with TSIG (RFC 8945)."""

    server: str
    """Address, or ADDRESS:PORT, of the primary server."""
    key_name: str
    key_secret: str = field(repr=False)
    """Base64."""
    port: int = 53
    algorithm: str = "hmac-sha256"


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """How DNS is asked."""

    resolvers: tuple[tuple[str, int], ...] = ()
    """(address, port) pairs of recursive resolvers; empty means the system's."""
    delegation_from: str = "parent"
    """``parent``: ask the parent zone's servers; ``resolver``: ask the resolvers for NS."""
    timeout: float = 3.0
    """Seconds that one question may take."""
    per_server: int = 8
    """Questions that one server is asked at the same time, by one process."""
    update: DnsUpdate | None = None


@dataclass(frozen=True, slots=True)
class Probing:
    """How, and where to, certdesk may connect when it looks at what is served."""

    http_port: int = 80
    https_port: int = 443
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that are not globally reachable and may be probed all the same."""
    ca_bundle: Path | None = None
    """PEM file of extra roots that served chains are checked against."""
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Scanning:
    """How the pages of a store are looked at."""

    paths: tuple[str, ...] = ("/login", "/signup", "/checkout")
    """Pages that are asked for by name besides the first one, as paths or URLs."""
    pages: int = 20
    """Linked pages of the store that are looked at besides."""
    sheets: int = 20
    """Style sheets that are read."""
    lookups: int = 100
    """Insecure URLs of which it is looked up whether they answer over https."""
    delay: float = 0.5
    """Seconds between two requests to the store."""
    timeout: float = 10.0
    """Seconds that one exchange may take."""
    total: float = 180.0
    """Seconds after which no further page is asked for."""
    page_bytes: int = 2 * 1024 * 1024
    """Bytes of one page or style sheet that are read."""
    theme_source: str = ""
    """Where the stores' themes are: a folder or an address, with ``{store}`` in it; empty: they cannot be read."""
    automatic: bool = True
    """Whether names are scanned by themselves, and merchants told of what is found."""
    workers: int = 2
    """Names that one process scans at the same time."""


@dataclass(frozen=True, slots=True)
class Issuing:
    """What certificates are asked for."""

    key_type: str = "ec-p256"
    """ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096."""
    challenges: tuple[str, ...] = ("http-01", "dns-01")
    """Challenge types in order of preference."""
    blocked_names: tuple[str, ...] = ()
    """Patterns (fnmatch) of names that are refused."""
    max_names: int = 100


@dataclass(frozen=True, slots=True)
class Renewing:
    """When to try, and to try again."""

    backoff: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=10),
        timedelta(minutes=100),
        timedelta(days=1),
    )
    """Waiting time after the first, second … failure in a row; the last one repeats."""
    dns_recheck: timedelta = timedelta(hours=2)
    """How often a name that waits for DNS is checked again."""
    blocked_recheck: timedelta = timedelta(hours=1)
    """How often a certificate with another blocker is checked again."""
    strikes: int = 3
    """Failed issuances in a row, for a merchant's reason, before a person takes over."""
    ari_every: timedelta = timedelta(hours=6)
    """How often a CA's renewal suggestion is read, unless the CA says otherwise."""
    lease: timedelta = timedelta(seconds=60)
    """How long a worker may hold a row without saving it."""
    watch: timedelta = timedelta(days=1)
    """How often an installed certificate is checked that has no blocker."""
    keep: timedelta = timedelta(days=7)
    """How long deploy targets keep a certificate and its key after it was replaced; longer, if it can be rolled back to."""
    rollback_hold: timedelta = timedelta(days=3)
    """How long nothing replaces by itself what was rolled back, unless the last sixth of its lifetime begins before."""
    many: int = 20
    """So many certificates that a CA wants replaced at once become one plan; fewer are renewed at once."""
    plan_width: int = 10
    """How many certificates of such a plan are at work at the same time."""


@dataclass(frozen=True, slots=True)
class Approving:
    """What one person may do without another one's yes."""

    alone: int = 10
    """So many certificates by one command or click; for more of them a second person has to approve it."""


@dataclass(frozen=True, slots=True)
class RdapSettings:
    """How registrations are looked up."""

    servers: Mapping[str, str] = field(default_factory=dict)
    """Top-level domain -> base URL, before IANA's list; with ``*`` none but these are asked."""
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where alerts of some kind are told. An empty condition holds for all."""

    channel: str
    owners: tuple[str, ...] = ()
    severity: int = 1
    """The least `alerts.Severity`."""
    codes: tuple[str, ...] = ()
    """Patterns (fnmatch) of finding codes."""
    tags: tuple[str, ...] = ()
    """Tags of stores: one member's is enough."""


@dataclass(frozen=True, slots=True)
class Hook:
    """An outgoing webhook."""

    name: str
    kind: str
    """``pagerduty`` (Events API v2) or ``json`` (signed)."""
    url: str
    secret: str = field(repr=False)
    """PagerDuty's routing key, or the key of the signature."""
    severity: int = 3
    """The least `alerts.Severity` that it is told of."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """Who is told of what, and when."""

    channel: str = ""
    """Where alerts go that no route takes; empty: nowhere but the terminal, the digest and webhooks."""
    support_channel: str = ""
    """Where certificates go that need support; empty: `channel`."""
    routes: tuple[Route, ...] = ()
    """Every one that fits counts."""
    warning: timedelta = timedelta(days=21)
    urgent: timedelta = timedelta(days=7)
    critical: timedelta = timedelta(days=2)
    """Margins from which on an alert is so grave; shorter in proportion for certificates that live less than 63 days."""
    confirm: timedelta = timedelta(minutes=10)
    """How far apart two sightings must be to confirm a blocker that is not certain."""
    reopen: timedelta = timedelta(hours=1)
    """Within this time after it healed a cause that is back reopens its alert, in the same message."""
    burst: int = 10
    """So many alerts of one code in an hour; what comes on top is gathered in one collective alert."""
    settle: timedelta = timedelta(seconds=30)
    """How long changes of numbers alone are gathered before a message is edited."""
    oncall_group: str = ""
    """Id of the user group (S…) that urgent alerts mention."""
    manager_group: str = ""
    """Id of the user group that critical alerts mention as well."""
    hooks: tuple[Hook, ...] = ()
    digest_daily: str = "09:00"
    """Local time of the daily digest; empty: none."""
    digest_weekly: str = "monday"
    """Day of the weekly digest, which takes the daily one's place; empty: none."""
    timezone: str = "UTC"
    """IANA name of the zone of these times."""
    digest_quiet: bool = True
    """Whether a digest with nothing to say is left out."""
