"""Every configuration key: its type, default and rule. app.yaml describes the same keys for people."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.config_ids import App, Channel, Channels, Merchants, People, Team
from bot.config_section import Section
from bot.config_targets import AnyTarget
from bot.config_values import (
    Address,
    AdminUrl,
    Algorithm,
    Command,
    DatabaseUrl,
    Endpoint,
    HostName,
    HttpsUrl,
    KeyText,
    Limit,
    Listen,
    Mac,
    Minutes,
    Names,
    Network,
    Number,
    Port,
    RdapUrl,
    RedirectUrl,
    Seconds,
    Strings,
    Whole,
    each_named_once,
    words,
)
from bot.config_values import host_and_port as host_and_port  # noqa: PLC0414 - whoever reads a key takes it from here


class Database(Section):
    """Where certdesk keeps everything."""

    url: DatabaseUrl = "sqlite:///var/certdesk.db"


class Platform(Section):
    """Where the stores' DNS and web traffic should lead."""

    name_servers: Names = ()
    addresses: Annotated[tuple[Address, ...], BeforeValidator(words)] = ()
    default_domains: Names = ()
    cname_target: HostName = ""
    admin_url: AdminUrl = ""


class Limits(Section):
    """A CA's rate limits; one that is left out is not counted."""

    orders: Limit | None = None
    domain: Limit | None = None
    set: Limit | None = None
    failures: Limit | None = None


class Ca(Section):
    """One ACME CA."""

    name: str = Field(min_length=1)
    directory: HttpsUrl
    profile: str | None = None
    eab_kid: str | None = None
    eab_hmac: Mac | None = Field(default=None, repr=False)
    ca_bundle: Path | None = None
    caa_domains: Names = ()
    contact: Strings = ()
    limits: Limits = Limits()
    max_names: Annotated[Whole, Field(ge=1, le=1000)] | None = None

    @model_validator(mode="after")
    def _binding_is_whole(self) -> Self:
        """Refuse half an external account binding (RFC 8555 §7.3.4), with which no account would be bound."""
        if bool(self.eab_kid) != bool(self.eab_hmac):
            given, other = ("eab_kid", "eab_hmac") if self.eab_kid else ("eab_hmac", "eab_kid")
            raise ValueError(f"{given} is given without {other}; a CA gives both: set both, or neither")
        return self


LETS_ENCRYPT = Ca(
    name="letsencrypt",
    directory="https://acme-v02.api.letsencrypt.org/directory",
    caa_domains=("letsencrypt.org",),
    limits=Limits.model_validate(
        {"orders": "300 per 3h", "domain": "50 per 7d", "set": "5 per 7d", "failures": "5 per 1h"}
    ),
)
"""With the rate limits of Let's Encrypt's production CA, of which renewals within their window are exempt."""


class Acme(Section):
    """The CAs and how control is proved to them."""

    cas: Annotated[tuple[Ca, ...], AfterValidator(each_named_once)] = Field(
        default=(LETS_ENCRYPT,), min_length=1
    )
    challenges: Annotated[tuple[Literal["http-01", "dns-01"], ...], BeforeValidator(words)] = Field(
        default=("http-01", "dns-01"), min_length=1
    )
    key_type: Literal["ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"] = "ec-p256"


class Policy(Section):
    """What the platform itself refuses."""

    blocked_names: Strings = ()
    max_names: Whole = Field(default=100, ge=1, le=100)


class Update(Section):
    """RFC 2136 dynamic updates for dns-01."""

    server: Endpoint
    port: Port = 53
    key_name: str
    key_secret: str = Field(repr=False)
    algorithm: Algorithm = "hmac-sha256"


class Dns(Section):
    """How DNS is asked and written."""

    resolvers: Annotated[tuple[Endpoint, ...], BeforeValidator(words)] = ()
    delegation_from: Literal["parent", "resolver"] = "parent"
    timeout: Seconds = 3.0
    per_server: Whole = Field(default=8, ge=1, le=1000)
    authority_port: Port = 53
    update: Update | None = None


class Probe(Section):
    """How certdesk looks at what is served."""

    http_port: Port = 80
    https_port: Port = 443
    allow_networks: Annotated[tuple[Network, ...], BeforeValidator(words)] = ()
    ca_bundle: Path | None = None
    timeout: Seconds = 5.0


class Rdap(Section):
    """Overrides of the IANA bootstrap, by top-level domain."""

    servers: dict[str, RdapUrl] = Field(default_factory=dict)
    timeout: Seconds = 5.0


class Http(Section):
    """certdesk's own HTTP listener."""

    listen: Listen = "127.0.0.1:8402"
    threads: Whole = Field(default=16, ge=2, le=256)


class Deploy(Section):
    """Where certificates go."""

    targets: Annotated[tuple[AnyTarget, ...], AfterValidator(each_named_once)] = ()
    keep_days: Number = Field(default=7, ge=0, le=365)


class VaultKeys(Section):
    """The key-encryption key."""

    key: KeyText = Field(default="", repr=False)
    key_file: Path | None = None
    old_keys: Annotated[tuple[KeyText, ...], BeforeValidator(words)] = Field(default=(), repr=False)


class Renewal(Section):
    """When certificates are renewed and tried again."""

    backoff_minutes: tuple[Minutes, ...] = Field(default=(1, 10, 100, 1440), min_length=1)
    dns_recheck_minutes: Minutes = 120
    blocked_recheck_minutes: Minutes = 60
    strikes: Whole = Field(default=3, ge=1)
    ari_hours: Number = Field(default=6, gt=0, le=12)
    lease_seconds: Number = Field(default=60, ge=5, le=86_400)
    workers: Whole = Field(default=4, ge=1, le=64)
    watch_hours: Number = Field(default=24, gt=0, le=720)
    watchers: Whole = Field(default=2, ge=1, le=64)
    rollback_hold_days: Number = Field(default=3, ge=0, le=30)
    many: Whole = Field(default=20, ge=2, le=100_000)
    plan_width: Whole = Field(default=10, ge=1, le=1000)


class Approvals(Section):
    """What one person may do without another one's yes."""

    alone: Annotated[Whole, Field(ge=1, le=100)] = 10


class Slack(Section):
    """How certdesk is connected to Slack; without a bot token only the terminal is."""

    mode: Literal["http", "socket"] = "http"
    bot_token: str = Field(default="", repr=False)
    signing_secret: str = Field(default="", repr=False)
    app_token: str = Field(default="", repr=False)
    api_url: str = "https://slack.com/api/"
    team: Team = ""
    app_id: App = ""
    command: Command = "/ssl"
    date_tokens: bool = True
    client_id: str = ""
    client_secret: str = Field(default="", repr=False)
    redirect_url: RedirectUrl = ""
    pkce: bool = False
    canary_channel: Channel = ""
    staff_channels: Channels = ()
    link_domain: str = ""
    admins: People = ()
    support: People = ()
    oncall: People = ()
    merchants: Merchants = Field(default_factory=dict)

    @model_validator(mode="after")
    def _installing_is_whole(self) -> Self:
        """Refuse half of what further workspaces need: which one is the support workspace is part of it."""
        needed = ("client_id", "client_secret", "redirect_url", "team")
        missing = [name for name in needed if not getattr(self, name)]
        if self.client_id and missing:
            raise ValueError(
                f"client_id is given without {missing[0]}; to be installed in other workspaces certdesk needs both"
            )
        return self


class Log(Section):
    """What certdesk writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


def minutes(value: float) -> timedelta:
    """Return ``value`` minutes."""
    return timedelta(minutes=value)
