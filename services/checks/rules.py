"""Small judgements that several checks share: what is ours, who must act, and how a finding is put together."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from services.checks.zones import Delegation
from services.model.findings import CODES, Finding, Owner, Verdict
from services.model.settings import Platform
from services.model.text import Item, Text, Value, say, say_n

MEANINGLESS = frozenset({"domain.invalid", "domain.default", "domain.not_added", "domain.public_suffix"})
"""With one of these codes nothing of DNS matters."""


def host_name(text: str) -> str:
    """Return a host name as it is compared: lower case, without the final dot (RFC 4343)."""
    return text.strip().lower().removesuffix(".")


def our_hosts(platform: Platform) -> tuple[str, ...]:
    """Return the platform's name servers as they are compared, in the configured order."""
    return tuple(host_name(host) for host in platform.name_servers)


def is_ours(host: str, addresses: Iterable[str], platform: Platform, ours: Iterable[str]) -> bool:
    """Tell whether a name server is the platform's: by name, or because ``ours`` holds all addresses it has."""
    if host in our_hosts(platform):
        return True
    theirs = {canonical(address) for address in addresses}
    return bool(theirs) and theirs <= {canonical(address) for address in ours}


def canonical(address: str) -> str:
    """Return one spelling for an address."""
    return str(parsed(address))


def parsed(address: str) -> IPv4Address | IPv6Address:
    """Return the address; a zone index, which DNS cannot carry, raises ValueError as any other nonsense does."""
    return ip_address(address)


SHOWN = 4
"""How many items of a list a sentence shows; the evidence has all of them."""


def listed(items: Sequence[Item]) -> Value:
    """Return a list as a sentence shows it: whole, or its first four items and how many more there are."""
    if len(items) <= SHOWN:
        return tuple(items)
    return say("{first} and {count} more", first=tuple(items[:SHOWN]), count=len(items) - SHOWN)


def lasting(seconds: int) -> Text:
    """Return a time as people read it, rounded up: seconds up to two minutes, minutes up to two hours, then hours."""
    if seconds < 120:
        return say_n("{count} second", "{count} seconds", count=seconds)
    if seconds < 7200:
        return say_n("{count} minute", "{count} minutes", count=-(-seconds // 60))
    return say_n("{count} hour", "{count} hours", count=-(-seconds // 3600))


def path(chain: Sequence[str]) -> Value:
    """Return a chain of aliases as a sentence shows it: its steps joined by arrows, shortened as lists are."""
    first = " → ".join(chain[:SHOWN])
    if len(chain) <= SHOWN:
        return first
    return say("{first} and {count} more", first=first, count=len(chain) - SHOWN)


def unregistered(delegation: Delegation, registrable: str | None) -> bool:
    """Tell whether the registrable domain itself does not exist."""
    return bool(registrable) and delegation.missing == registrable


class Report:
    """Puts findings together for one name at one moment."""

    def __init__(self, name: str, now: datetime) -> None:
        self._name, self.now = name, now

    def finding(
        self,
        code: str,
        verdict: Verdict,
        summary: Text,
        remedy: Text,
        *,
        owner: Owner | None = None,
        **evidence: Any,
    ) -> Finding:
        """Return a finding; the owner is the code's usual one unless given."""
        return Finding(
            code, verdict, self._name, owner or CODES[code].owner, summary, remedy, self.now, plain(evidence)
        )


def plain(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return evidence as JSON-ready data: sets are sorted, tuples become lists."""
    return {key: _plain(value) for key, value in evidence.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Text) else value
