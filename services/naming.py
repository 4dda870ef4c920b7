"""From what people type to names: UTS 46 normalisation (idna) and registrable domains (the Public Suffix List)."""

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import idna
from publicsuffixlist import PublicSuffixList

from services.model import names
from services.model.errors import InvalidNameError
from services.model.text import Text, say

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SLACK_LINK = re.compile(r"<(?:https?://|mailto:)?[^|>]*\|?([^|>]*)>")
_QUOTES = "\"'`,;\u201c\u201d\u2018\u2019"  # straight ones, and what editors make of them
MAX_LENGTH = 253  # RFC 1035 §2.3.4: 255 octets on the wire are 253 characters in text


def parse(text: str) -> str:
    """Return the name that ``text`` means: A-labels, lower case, without the final dot, wildcards as ``*.…``.

    Follows UTS 46, non-transitional (ß stays itself). A URL counts as its host. Raises InvalidNameError with a
    sentence for anything else: an address, an e-mail address, a bare label, a label or name that is too long.
    """
    host = _host(text)
    if _is_address(host):
        raise InvalidNameError(text, _reason(text, "is an IP address; certificates are for domain names"))
    if "@" in host:
        raise InvalidNameError(text, _reason(text, "is an e-mail address; give the domain name alone"))
    wildcard, host = host.startswith(names.WILDCARD), host.removeprefix(names.WILDCARD)
    if "*" in host:
        raise InvalidNameError(text, _reason(text, "has an asterisk that is not the whole first label"))
    ascii_name = _to_ascii(text, host)
    if len(ascii_name) + 2 * wildcard > MAX_LENGTH:
        raise InvalidNameError(
            text, _reason(text, "is longer than the 253 characters a domain name may have")
        )
    labels = ascii_name.split(".")
    if len(labels) < 2:
        raise InvalidNameError(
            text, _reason(text, "is a single label; give the whole name, such as shop.example.com")
        )
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidNameError(
            text,
            _reason(text, "has a label that is empty, too long or has a character no host name may have"),
        )
    if labels[-1].isdigit():
        raise InvalidNameError(text, _reason(text, "ends in a number, which no top-level domain does"))
    return (names.WILDCARD if wildcard else "") + ascii_name


def _host(text: str) -> str:
    """Return the host part of what was pasted: a URL, a Slack link, or the name itself."""
    bare = text.strip().strip(_QUOTES)
    if link := _SLACK_LINK.fullmatch(bare):
        bare = link.group(1) or bare.strip("<>")
    if "://" in bare:
        try:
            bare = urlsplit(bare).hostname or ""
        except ValueError:
            return bare
    elif "/" in bare and not _is_address(bare):
        bare = bare.partition("/")[0]
    return bare


def _to_ascii(text: str, host: str) -> str:
    """Return the A-label form. Underscores and the like are refused: idna's own rule for host names."""
    try:
        encoded = idna.encode(host.rstrip("."), uts46=True, transitional=False, std3_rules=True).decode(
            "ascii"
        )
    except idna.IDNAError as error:
        raise InvalidNameError(text, _reason(text, _plain(error))) from None
    return encoded.lower()


def _plain(error: idna.IDNAError) -> str:
    return (
        f"is not a valid host name ({str(error).rstrip('.')})" if str(error) else "is not a valid host name"
    )


def _reason(text: str, why: str) -> Text:
    shown = text if len(text) <= 80 else text[:79] + "…"
    return say("“{given}” {why}.", given=shown, why=why)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    """Load the list at first use: it costs 70 ms that not every command needs."""
    return PublicSuffixList()


def registrable(name: str) -> str | None:
    """Return the registrable domain of ``name`` (one label below its public suffix); None for a public suffix itself."""
    found = _suffixes().privatesuffix(names.base(name))
    return str(found) if found else None


def is_public_suffix(name: str) -> bool:
    """Tell whether ``name`` (or a wildcard's base) is a public suffix, under which strangers register names."""
    return registrable(name) is None


def display(name: str) -> str:
    """Return the name as people write it: U-labels where they decode, else unchanged."""
    try:
        return ("*." if names.is_wildcard(name) else "") + idna.decode(names.base(name))
    except idna.IDNAError:
        return name
