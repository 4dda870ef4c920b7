"""The kinds of values that configuration keys have; each refuses what it cannot take with a sentence of its own."""

import base64
import binascii
import re
from datetime import timedelta
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Annotated, Literal, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from services.model.errors import InvalidNameError
from services.naming import parse

ENDPOINT = "ADDRESS or ADDRESS:PORT is needed, such as 10.0.0.53:5300 or [2001:db8::53]:5300; host names are not looked up"
CALLBACK = "/slack/oauth/callback"
"""Where certdesk's own listener takes browsers that come back from Slack."""
_LISTEN = "ADDRESS:PORT is needed, such as 127.0.0.1:8402"


class Named(Protocol):
    """An entry of a list whose entries have names."""

    @property
    def name(self) -> str: ...  # noqa: D102


_Entry = TypeVar("_Entry", bound=Named)


def host_and_port(text: str, default: int) -> tuple[str, int]:
    """Return (address, port) of ``10.0.0.1``, ``10.0.0.1:5300``, ``::1`` or ``[::1]:5300``. Raises ValueError."""
    host, port = text.strip(), str(default)
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 <= int(port) < 65536:
        raise ValueError("ADDRESS or ADDRESS:PORT is needed")
    return host, int(port)


def words(value: object) -> object:
    """Take a text for the list of its words, apart at commas, so that a lone value is no trap; no word is no entry."""
    if not isinstance(value, str):
        return value
    return [word.strip() for word in value.split(",") if word.strip()]


def lower(value: object) -> object:
    """Take a word of a choice in any case."""
    return value.strip().lower() if isinstance(value, str) else value


def each_named_once(entries: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
    """Return ``entries``. Raises ValueError if two have one name, by which the database tells them apart."""
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"more than one entry has the name {twice[0]!r}; each needs a name of its own")
    return entries


def _name(text: str) -> str:
    if not text:
        return text
    try:
        return parse(text)
    except InvalidNameError as error:
        raise ValueError(f"a host name is needed; {error}") from None


def _in_list(text: str) -> str:
    if not text.strip():
        raise ValueError("a host name is needed")
    return text


def _https(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # such as brackets that hold no IPv6 address
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("an https:// URL is needed (RFC 8555 §6.1)")
    return url


def _admin(url: str) -> str:
    """Return the address of a store's page, or the empty text for none."""
    if url and (url.count("{store}") != 1 or not re.match(r"https?://[^/]", url)):
        raise ValueError(
            "an http:// or https:// URL is needed in which {store} stands once, where a store's id does"
        )
    return url


def _rdap(url: str) -> str:
    """Return a base URL, or the empty text for a top-level domain that nobody is to be asked about."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # such as brackets that hold no IPv6 address, or a port that is none
        usable = False
    if url and (not usable or parts.username is not None or parts.query or parts.fragment):
        raise ValueError(
            "a base URL is needed, such as https://rdap.example/ or http://127.0.0.1:9000/; an empty text asks nobody"
        )
    return url


def _redirect(url: str) -> str:
    """Return the address that Slack sends browsers back to: https, but for a trial on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    if url and (
        not (parts.scheme == "https" or local) or parts.path != CALLBACK or parts.query or parts.fragment
    ):
        raise ValueError(f"an https:// URL is needed that ends in {CALLBACK}")
    return url


def _database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE is needed")
    return url


def _endpoint(value: object) -> str:
    """Return ADDRESS or ADDRESS:PORT. A host name is refused: it would take a resolver to find one."""
    try:
        ip_address(host_and_port(_text(value), 53)[0])
    except ValueError:
        raise ValueError(ENDPOINT) from None
    return str(value)


def _listen(value: object) -> str:
    """Return ADDRESS:PORT, the port given; the address may be a name of this machine."""
    try:
        host, port = host_and_port(_text(value), -1)
    except ValueError:
        raise ValueError(_LISTEN) from None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is needed")  # noqa: TRY004 - what pydantic collects is a ValueError
    return value


def _address(value: object) -> IPv4Address | IPv6Address:
    try:
        return ip_address(_text(value).strip())
    except ValueError:
        raise ValueError("an IPv4 or IPv6 address is needed, such as 192.0.2.10 or 2001:db8::10") from None


def _network(value: object) -> IPv4Network | IPv6Network:
    """Return the network. One with host bits may be a slip of the address or of the length, so it is refused."""
    try:
        within = ip_interface(_text(value).strip()).network
    except ValueError:
        raise ValueError("a network is needed, such as 10.20.0.0/16 or fd00::/8") from None
    try:
        return ip_network(_text(value).strip())
    except ValueError:
        raise ValueError(f"it names an address inside a network; write {within} for the network") from None


def _key(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raw = b""
    if text and len(raw) != 32:
        raise ValueError("base64 of exactly 32 bytes is needed; `certdesk keys new` makes one")
    return text


def _mac(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]*={0,2}", text) or len(text.rstrip("=")) % 4 == 1:
        raise ValueError("the key of the external account binding is needed as the CA gives it, in base64url")
    return text


def _algorithm(value: object) -> object:
    """Take a TSIG algorithm as name servers write it: in any case, with a final dot, md5 by its long name (RFC 8945 §6)."""
    if not isinstance(value, str):
        return value
    return value.strip().lower().rstrip(".").removesuffix(".sig-alg.reg.int")


def _command(text: str) -> str:
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", text):
        raise ValueError("a slash and 1 to 31 small letters, digits, - or _ are needed, such as /ssl")
    return text


def _arguments(value: object) -> object:
    if not isinstance(value, (list, tuple)):
        raise ValueError("a list of the command's arguments is needed, such as [nginx, -s, reload]")  # noqa: TRY004
    return value


_LIMIT = re.compile(r"([1-9][0-9]{0,8}) ?(?:per|/) ?([1-9][0-9]{0,4})? ?([smhd])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def _limit(value: object) -> tuple[int, timedelta]:
    """Return (count, per how long) of ``300 per 3h``."""
    found = _LIMIT.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(
            "a count and a time are needed, such as 300 per 3h; s, m, h and d are seconds, minutes, hours and days"
        )
    return int(found[1]), int(found[2] or 1) * _UNITS[found[3]]


def _no_truth(value: object) -> object:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a number is needed")  # noqa: TRY004
    return value


Limit = Annotated[tuple[int, timedelta], PlainValidator(_limit)]
"""A rate limit as (count, per how long), written 300 per 3h."""
DatabaseUrl = Annotated[str, AfterValidator(_database)]
HttpsUrl = Annotated[str, AfterValidator(_https)]
AdminUrl = Annotated[str, AfterValidator(_admin)]
RdapUrl = Annotated[str, AfterValidator(_rdap)]
RedirectUrl = Annotated[str, AfterValidator(_redirect)]
KeyText = Annotated[str, AfterValidator(_key)]
Mac = Annotated[str, AfterValidator(_mac)]
Command = Annotated[str, AfterValidator(_command)]
HostName = Annotated[str, AfterValidator(_name)]
"""A host name, normalised; empty for none."""
Endpoint = Annotated[str, PlainValidator(_endpoint)]
Listen = Annotated[str, PlainValidator(_listen)]
Address = Annotated[IPv4Address | IPv6Address, PlainValidator(_address)]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]
Algorithm = Annotated[
    Literal["hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1", "hmac-md5"],
    BeforeValidator(_algorithm),
]

Whole = Annotated[int, BeforeValidator(_no_truth)]
Number = Annotated[float, BeforeValidator(_no_truth), Field(allow_inf_nan=False)]
Port = Annotated[Whole, Field(ge=1, le=65535)]
Seconds = Annotated[Number, Field(gt=0, le=300)]
Minutes = Annotated[Number, Field(gt=0, le=525_600)]
"""At most a year."""

Names = Annotated[tuple[Annotated[HostName, AfterValidator(_in_list)], ...], BeforeValidator(words)]
Strings = Annotated[tuple[str, ...], BeforeValidator(words)]
Arguments = Annotated[tuple[str, ...], BeforeValidator(_arguments)]
