"""The host of a URL as browsers read it (WHATWG URL §3.5): IPv4 addresses in any notation, escapes, wide characters; None for what is no host."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote

import idna

_FORBIDDEN = re.compile(r"[\x00-\x1f#%/:<>?@\[\\\]^|\x7f]")
"""What no domain holds. A space is forbidden too, but Chromium escapes it."""
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_MOST_PORT = 65_535


def read(authority: str) -> str | None:
    """Return the host of ``user:password@host:port`` in lower case, without final dot, an address in its usual form; None if browsers refuse the URL."""
    text = authority.rpartition("@")[2]
    if text.startswith("["):
        inner, closed, port = text[1:].partition("]")
        return _six(inner) if closed and _port(port) else None
    text, colon, port = text.partition(":")
    return _name(text) if _port(colon + port) else None


def address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host, as `read` returns it, is; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def loopback(host: str) -> bool:
    """Tell whether ``host``, as `read` returns it, is this machine itself, by name or address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    found = address(host)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_loopback
    return found is not None and found.is_loopback


def _port(text: str) -> bool:
    """Tell whether ``text`` is empty, or a colon with a port or nothing behind it."""
    digits = text.removeprefix(":")
    if not digits:
        return True
    return text[0] == ":" and digits.isascii() and digits.isdecimal() and int(digits[:9]) <= _MOST_PORT


def _six(text: str) -> str | None:
    try:
        return str(IPv6Address(text)) if "%" not in text else None
    except ValueError:
        return None


def _name(text: str) -> str | None:
    """Return a domain, or the IPv4 address that it is another way of writing."""
    mapped = unquote(text)
    if not mapped.isascii():
        try:
            mapped = idna.uts46_remap(mapped, std3_rules=False, transitional=False)
        except idna.IDNAError:
            return None
    mapped = mapped.lower()
    if not mapped or _FORBIDDEN.search(mapped):
        return None
    parts = mapped.removesuffix(".").split(".")
    return _four(parts) if _NUMBER.fullmatch(parts[-1]) else ".".join(parts)


def _four(parts: list[str]) -> str | None:
    """Return the address that one to four numbers are: decimal, octal or hexadecimal, the last one for all bytes that are left."""
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        return None
    try:
        *firsts, last = map(_number, parts)
    except ValueError:
        return None
    left = 4 - len(firsts)
    if any(one > 255 for one in firsts) or last >= 256**left:
        return None
    value = sum(one << (24 - 8 * place) for place, one in enumerate(firsts)) + last
    return str(IPv4Address(value))


def _number(text: str) -> int:
    """Return the number. Raises ValueError for an octal one with an 8 or a 9 in it, or one without end."""
    if text[:2].lower() == "0x":
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") else 10)
