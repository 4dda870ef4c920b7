"""Every configuration key: its type, default and rule. app.yaml describes the same keys for people."""

import base64
import binascii
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.model.errors import InvalidNameError
from services.naming import parse


class Section(BaseModel):
    """A group of keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _name(text: str) -> str:
    try:
        return parse(text)
    except InvalidNameError as error:
        raise ValueError(f"a host name is needed; {error}") from None


def _https(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("an https:// URL is needed (RFC 8555 §6.1)")
    return url


def _database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE is needed")
    return url


def _endpoint(text: str) -> str:
    host_and_port(text, 53)
    return text


def _key(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raw = b""
    if text and len(raw) != 32:
        raise ValueError("base64 of exactly 32 bytes is needed; `certdesk keys new` makes one")
    return text


def host_and_port(text: str, default: int) -> tuple[str, int]:
    """Return (address, port) of ``10.0.0.1``, ``10.0.0.1:5300``, ``::1`` or ``[::1]:5300``. Raises ValueError."""
    host, port = text.strip(), str(default)
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ValueError("ADDRESS or ADDRESS:PORT is needed")
    return host, int(port)


def _words(value: object) -> object:
    """Take one word for a list of one, and nothing for an empty list, so that a lone value is no trap."""
    if not isinstance(value, str):
        return value
    return [value] if value.strip() else []


HostName = Annotated[str, AfterValidator(_name)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=300)]
Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
Names = Annotated[tuple[HostName, ...], BeforeValidator(_words)]
Strings = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Database(Section):
    """Where certdesk keeps everything."""

    url: Annotated[str, AfterValidator(_database)] = "sqlite:///var/certdesk.db"


class Platform(Section):
    """Where the stores' DNS and web traffic should lead."""

    name_servers: Names = ()
    addresses: Annotated[tuple[Address, ...], BeforeValidator(_words)] = ()
    default_domains: Names = ()
    cname_target: HostName | Literal[""] = ""


class Ca(Section):
    """One ACME CA."""

    name: str = Field(min_length=1)
    directory: Annotated[str, AfterValidator(_https)]
    profile: str | None = None
    eab_kid: str | None = None
    eab_hmac: str | None = Field(default=None, repr=False)
    ca_bundle: Path | None = None
    caa_domains: Names = ()
    contact: Strings = ()


LETS_ENCRYPT = Ca(
    name="letsencrypt",
    directory="https://acme-v02.api.letsencrypt.org/directory",
    caa_domains=("letsencrypt.org",),
)


class Acme(Section):
    """The CAs and how control is proved to them."""

    cas: tuple[Ca, ...] = Field(default=(LETS_ENCRYPT,), min_length=1)
    challenges: Annotated[tuple[Literal["http-01", "dns-01"], ...], BeforeValidator(_words)] = Field(
        default=("http-01", "dns-01"), min_length=1
    )
    key_type: Literal["ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"] = "ec-p256"


class Policy(Section):
    """What the platform itself refuses."""

    blocked_names: Strings = ()
    max_names: int = Field(default=100, ge=1, le=100)


class Update(Section):
    """RFC 2136 dynamic updates for dns-01."""

    server: Endpoint
    port: Port = 53
    key_name: str
    key_secret: str = Field(repr=False)
    algorithm: Literal[
        "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1", "hmac-md5"
    ] = "hmac-sha256"


class Dns(Section):
    """How DNS is asked and written."""

    resolvers: Annotated[tuple[Endpoint, ...], BeforeValidator(_words)] = ()
    delegation_from: Literal["parent", "resolver"] = "parent"
    timeout: Seconds = 3.0
    update: Update | None = None


class Probe(Section):
    """How certdesk looks at what is served."""

    http_port: Port = 80
    https_port: Port = 443
    allow_networks: Annotated[tuple[Network, ...], BeforeValidator(_words)] = ()
    ca_bundle: Path | None = None
    timeout: Seconds = 5.0


class Rdap(Section):
    """Overrides of the IANA bootstrap, by top-level domain."""

    servers: dict[str, str] = Field(default_factory=dict)


class Http(Section):
    """certdesk's own HTTP listener."""

    listen: Endpoint = "127.0.0.1:8402"
    threads: int = Field(default=16, ge=2, le=256)


class Target(Section):
    """One deploy target."""

    name: str = Field(min_length=1)
    kind: Literal["files"] = "files"
    directory: Path
    reload: tuple[str, ...] = ()


class Deploy(Section):
    """Where certificates go."""

    targets: tuple[Target, ...] = ()


class VaultKeys(Section):
    """The key-encryption key."""

    key: Annotated[str, AfterValidator(_key)] = Field(default="", repr=False)
    key_file: Path | None = None
    old_keys: Annotated[tuple[Annotated[str, AfterValidator(_key)], ...], BeforeValidator(_words)] = Field(
        default=(), repr=False
    )


class Renewal(Section):
    """When certificates are renewed and tried again."""

    backoff_minutes: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(1, 10, 100, 1440), min_length=1
    )
    dns_recheck_minutes: float = Field(default=120, gt=0)
    blocked_recheck_minutes: float = Field(default=60, gt=0)
    strikes: int = Field(default=3, ge=1)
    ari_hours: float = Field(default=6, gt=0, le=12)
    lease_seconds: float = Field(default=60, ge=5)
    workers: int = Field(default=8, ge=1, le=64)


class Alerts(Section):
    """Who is told of blocked renewals."""

    channel: str = ""


class Slack(Section):
    """How certdesk is connected to Slack; without a bot token only the terminal is."""

    mode: Literal["http", "socket"] = "http"
    bot_token: str = Field(default="", repr=False)
    signing_secret: str = Field(default="", repr=False)
    app_token: str = Field(default="", repr=False)
    api_url: str = "https://slack.com/api/"
    team: str = ""
    command: str = Field(default="/ssl", pattern=r"^/[a-z0-9_-]{1,31}$")
    date_tokens: bool = True
    admins: Strings = ()
    support: Strings = ()
    oncall: Strings = ()
    merchants: dict[str, Strings] = Field(default_factory=dict)


class Log(Section):
    """What certdesk writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


def minutes(value: float) -> timedelta:
    """Return ``value`` minutes."""
    return timedelta(minutes=value)
