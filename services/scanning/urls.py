"""How a browser reads a URL that stands in a page (WHATWG URL), as far as it takes to tell http:// from https://."""

import re
from urllib.parse import quote, urljoin, urlsplit

from services.model.scans import Kind
from services.scanning import hosts

MOST = 2_048
"""Characters of a URL that are kept of an insecure one; a longer one leads nowhere, for no server takes it."""
SHOWN = 200
"""Characters of what a server says, and nobody has vouched for, that stand in a sentence."""
_STRIPPED = "".join(map(chr, range(0x21)))
_DROPPED = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_INSECURE = re.compile(r"(http|ws):[/\\]*([^/\\?#]*)(.*)", re.IGNORECASE | re.DOTALL)


def insecure(text: str, base: str) -> str | None:
    """Return the absolute http:// or ws:// URL that ``text`` means below ``base``; None if it means anything else.

    Loopback is as good as https: browsers load it (W3C Secure Contexts §3.1), so it is None as well.
    """
    text = cleaned(text)
    if not _SCHEME.match(text):
        if not base.lower().startswith("http:") or not text:
            return None
        text = joined(text, base)
    match = _INSECURE.fullmatch(text)
    if match is None:
        return None
    scheme, authority, rest = match.groups()
    host = hosts.read(authority)
    if host is None or hosts.loopback(host):
        return None
    rest = rest.replace("\\", "/") if "?" not in rest and "#" not in rest else rest
    return printed(f"{scheme.lower()}://{authority}{rest}"[:MOST])[:MOST]


def cleaned(text: str) -> str:
    """Return ``text`` without what the URL parser drops: outer control characters and spaces, inner tabs and line ends."""
    return text.strip(_STRIPPED).translate(_DROPPED)


def joined(text: str, base: str) -> str:
    """Return ``text`` below ``base``, or an empty text if it cannot be read, or is longer than any server takes."""
    text = cleaned(text)
    if len(text) > MOST:
        return ""
    if text[:2].replace("\\", "/") == "//":
        text = "//" + text[2:]
    try:
        return printed(urljoin(base, text))
    except ValueError:
        return ""


def without_fragment(url: str) -> str:
    """Return the URL without what stands behind ``#``, which no server is sent."""
    return url.partition("#")[0]


def printed(text: str) -> str:
    """Return ``text`` with whatever cannot be seen percent-encoded, as browsers send it: control characters, marks of direction, half pairs."""
    if text.isprintable():
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "".join(one if one.isprintable() else quote(one) for one in whole.replace("\ufffd", "%EF%BF%BD"))


def shortened(text: str) -> str:
    """Return what a server said so that it can stand in a sentence: printable, and not long."""
    text = printed(text)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def host_of(url: str) -> str:
    """Return the host of an absolute URL, lower case; empty if there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def settled(kind: Kind, url: str) -> Kind:
    """Return what becomes of something of this kind at an insecure ``url``: nothing is upgraded at an IP address (Mixed Content §4.1)."""
    match = _INSECURE.fullmatch(url)
    host = hosts.read(match[2]) if match is not None else None
    at_an_address = host is not None and hosts.address(host) is not None
    return Kind.BLOCKABLE if kind is Kind.UPGRADEABLE and at_an_address else kind
