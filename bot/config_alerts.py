"""The configuration keys of `alerts`: who is told of what, where and when."""

import re
from datetime import time
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from bot.config_ids import Channel, Group, SomeChannel
from bot.config_section import Section
from bot.config_values import Minutes, Number, Whole, each_named_once, lower, words
from services.model.findings import CODES

PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
"""Where PagerDuty takes events (Events API v2)."""

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def _url(url: str) -> str:
    """Return an https URL; plain http only to this machine, where nobody can listen in."""
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # such as brackets that hold no IPv6 address, or a port that is no number
        good = False
    if not good or not (parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname))):
        raise ValueError("an https:// URL is needed; http:// is taken for this machine's own addresses alone")
    return url


def _loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _clock_time(value: object) -> str:
    """Return HH:MM, or the empty text. YAML reads an unquoted 10:30 as 630 sixtieths, which is taken back."""
    if isinstance(value, int) and not isinstance(value, bool) and 60 <= value < 24 * 60:
        value = f"{value // 60}:{value % 60:02}"
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None and value != "":
        raise ValueError('a time of day is needed, such as "09:00", or "" for none')
    return time(int(found[1]), int(found[2])).strftime("%H:%M") if found else ""


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the zone files raises OSError
        raise ValueError("the IANA name of a time zone is needed, such as Europe/Berlin or UTC") from None
    return text


def _pattern(text: str) -> str:
    """Refuse a pattern of finding codes that fits none: its route would never take anything."""
    if not any(fnmatchcase(code, text) for code in CODES):
        raise ValueError('a finding code or a pattern that fits some is needed, such as dns.lame or "dns.*"')
    return text


Url = Annotated[str, AfterValidator(_url)]
ClockTime = Annotated[str, PlainValidator(_clock_time)]
Zone = Annotated[str, AfterValidator(_zone)]
Days = Annotated[Number, Field(gt=0, le=366)]
Grade = Annotated[Literal["info", "warning", "urgent", "critical"], BeforeValidator(lower)]
Owners = Annotated[tuple[Literal["merchant", "platform", "ca"], ...], BeforeValidator(words)]
Patterns = Annotated[tuple[Annotated[str, AfterValidator(_pattern)], ...], BeforeValidator(words)]
Tags = Annotated[tuple[Annotated[str, AfterValidator(str.lower)], ...], BeforeValidator(words)]
"""As stores have them: in small letters."""
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", ""]


class Route(Section):
    """Where alerts of some kind are told as well; a condition that is left out holds for all."""

    channel: SomeChannel
    owners: Owners = ()
    severity: Grade = "warning"
    codes: Patterns = ()
    tags: Tags = ()


class Webhook(Section):
    """One outgoing webhook."""

    name: str = Field(min_length=1)
    kind: Literal["pagerduty", "json"]
    url: Url | None = None
    secret: str = Field(min_length=1, repr=False)
    severity: Grade = "critical"

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        """Refuse a webhook of our own form without a URL; PagerDuty's is known."""
        if self.kind == "json" and self.url is None:
            raise ValueError(
                "url is missing: a webhook of the kind json needs the address that it is sent to"
            )
        return self


class Digest(Section):
    """When a summary is posted."""

    daily: ClockTime = "09:00"
    weekly: Annotated[Weekday, BeforeValidator(lower)] = "monday"
    timezone: Zone = "UTC"
    quiet: bool = True


class Alerts(Section):
    """Who is told of blocked renewals."""

    channel: Channel = ""
    support_channel: Channel = ""
    routes: tuple[Route, ...] = ()
    warning_days: Days = 21
    urgent_days: Days = 7
    critical_days: Days = 2
    confirm_minutes: Minutes = 10
    reopen_minutes: Minutes = 60
    burst: Whole = Field(default=10, ge=1, le=1000)
    settle_seconds: Number = Field(default=30, ge=1, le=3600)
    oncall_group: Group = ""
    manager_group: Group = ""
    webhooks: Annotated[tuple[Webhook, ...], AfterValidator(each_named_once)] = ()
    digest: Digest = Digest()

    @model_validator(mode="after")
    def _thresholds_fall(self) -> Self:
        """Refuse thresholds of which a graver one would be crossed first."""
        if not self.warning_days > self.urgent_days > self.critical_days:
            given = f"{self.warning_days:g}, {self.urgent_days:g} and {self.critical_days:g}"
            raise ValueError(
                "warning_days must be larger than urgent_days, and that larger than critical_days: less margin is"
                f" graver (they are {given})"
            )
        return self
