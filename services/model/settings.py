"""What the services need to know of the configuration, as frozen types; bot/config.py fills them from app.yaml."""

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


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """One deploy target."""

    name: str
    kind: str
    directory: Path
    reload: tuple[str, ...] = ()
    """Command, as an argument list, that is run after a change; empty for none."""
