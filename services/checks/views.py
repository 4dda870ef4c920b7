"""What every authoritative server of a zone says of one name's addresses: facts for the checks that judge them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.checks.case import Case
from services.checks.delegation import gather as gather_delegation
from services.checks.lookup import Lookup, Outcome, look_up
from services.checks.rules import unregistered
from services.checks.world import RESOLVER, Server
from services.checks.zones import zone_name
from services.model import names
from services.model.findings import Owner

PROBE = "certdesk-"
"""How random names below a wildcard begin, so that a zone's owner who sees the question knows who asks."""


@dataclass(frozen=True, slots=True)
class View:
    """What one server says of the name."""

    server: str
    """Its address, or RESOLVER."""
    v4: Lookup
    v6: Lookup


Family = Callable[[View], Lookup]


def v4(view: View) -> Lookup:
    """Return the lookup of A records."""
    return view.v4


def v6(view: View) -> Lookup:
    """Return the lookup of AAAA records."""
    return view.v6


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered about the addresses of one name."""

    name: str
    asked: str
    """The name that was asked for: for a wildcard, a random one below it."""
    zone: str
    views: tuple[View, ...]
    server_owner: Owner = Owner.PLATFORM
    """Whose the authoritative servers are."""

    @property
    def shown(self) -> str:
        """The name as people should read it: the wildcard, not the random name below it."""
        return self.name if self.asked.startswith(PROBE) else self.asked

    def lookups(self) -> tuple[Lookup, ...]:
        """Return every view's two lookups."""
        return tuple(lookup for view in self.views for lookup in (view.v4, view.v6))

    def found(self, family: Family) -> tuple[str, ...]:
        """Return the addresses of one family that any server gives, sorted."""
        return tuple(sorted({address for view in self.views for address in family(view).addresses}))


def gather(case: Case) -> Facts:
    """Return the facts of the case's addresses, gathered once."""
    return case.once("address facts", _gather)


def _gather(case: Case) -> Facts:
    """Ask each server that serves the zone; nothing where the domain does not exist or nobody serves it."""
    known = gather_delegation(case)
    zone = known.delegation.closest
    owner = known.owner(zone.hosts, case.world.platform) if zone else Owner.PLATFORM
    in_zone = zone_name(case)
    if unregistered(known.delegation, known.registrable):
        return Facts(case.subject.name, case.base, in_zone, (), owner)
    servers: tuple[Server, ...] = zone.serving if zone and zone.probes else (None,)
    asked = case.base
    if names.is_wildcard(case.subject.name):
        asked = f"{PROBE}{secrets.token_hex(4)}.{case.base}"
    views = tuple(_named(view, case.subject.name) for view in _views(case, asked, servers, in_zone))
    if asked != case.base and not any(_tells(view) for view in views):
        # no wildcard record: single names below may have their own, so only a base that is missing counts
        asked, views = case.base, _views(case, case.base, servers, in_zone)
        views = tuple(view for view in views if Outcome.NXDOMAIN in (view.v4.outcome, view.v6.outcome))
    return Facts(case.subject.name, asked, in_zone, views, owner)


def _views(case: Case, name: str, servers: tuple[Server, ...], zone: str) -> tuple[View, ...]:
    pairs = [(server, rtype) for server in servers for rtype in ("A", "AAAA")]
    found = case.each(lambda pair: look_up(case, name, pair[1], pair[0], zone), pairs)
    return tuple(
        View(str(server or RESOLVER), found[2 * place], found[2 * place + 1])
        for place, server in enumerate(servers)
    )


def _named(view: View, name: str) -> View:
    """Let the chains begin with the name as people know it."""
    first, second = (replace(found, chain=(name, *found.chain[1:])) for found in (view.v4, view.v6))
    return View(view.server, first, second)


def _tells(view: View) -> bool:
    """Tell whether a view has a wildcard record (an address, or an alias wherever it leads), or leaves that open."""
    lookups = (view.v4, view.v6)
    found = any(lookup.addresses or len(lookup.chain) > 1 for lookup in lookups)
    return found or not any(lookup.answered for lookup in lookups)
