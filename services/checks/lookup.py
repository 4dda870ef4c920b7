"""One name's addresses as one server gives them, aliases followed; what that server cannot know is asked of the resolver."""

from dataclasses import dataclass
from enum import StrEnum

from services.checks.case import Case
from services.checks.rules import canonical
from services.checks.world import Answer, Server
from services.checks.zones import within

LONGEST_CHAIN = 16
"""Aliases in a row that resolvers follow before they give up (BIND: 16, Unbound: 11)."""


class Outcome(StrEnum):
    """How looking for addresses of one family ended."""

    FOUND = "found"
    NONE = "none"  # the name exists without such a record
    NXDOMAIN = "nxdomain"
    DANGLING = "dangling"  # an alias leads to a name that does not exist
    LOOP = "loop"  # aliases lead in a circle, or on without end
    FAILED = "failed"  # an error in so many words
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Lookup:
    """What one server's word led to for one name and type."""

    outcome: Outcome
    chain: tuple[str, ...]
    """The name, then each alias on the way."""
    addresses: frozenset[str] = frozenset()
    said: str = ""
    """The rcode or error where there is no answer."""
    by_resolver: bool = False
    """Whether the last answer was the resolver's."""

    @property
    def answered(self) -> bool:
        """Whether it is known what DNS holds."""
        return self.outcome not in (Outcome.FAILED, Outcome.SILENT)


def look_up(case: Case, name: str, rtype: str, server: Server = None, zone: str = "") -> Lookup:
    """Return the addresses of ``name``: A or AAAA as ``server`` (None: the resolvers) has them.

    A server is believed for its ``zone`` alone: where an alias leads out of it, the resolver is asked, whatever other
    zones the server may hold (RFC 2181 §5.4.1).
    """
    chain: tuple[str, ...] = (name,)
    answer = case.resolve(name, rtype) if server is None else case.ask(name, rtype, server)
    asked = server
    while True:
        if not answer.good:
            return _unanswered(case, answer, chain, by_resolver=asked is None)
        chain, looping = follow(answer, chain, zone if asked else "")
        if looping:
            return Lookup(Outcome.LOOP, chain)
        own = asked is None or within(chain[-1], zone)
        if own and (found := frozenset(canonical(record.text) for record in answer.of(chain[-1], rtype))):
            return Lookup(Outcome.FOUND, chain, found, by_resolver=asked is None)
        if chain[-1] == answer.name or (asked is None and answer.recursion_available):
            return _nothing(answer, chain, by_resolver=asked is None)
        asked, answer = None, case.resolve(chain[-1], rtype)


def follow(answer: Answer, chain: tuple[str, ...], zone: str = "") -> tuple[tuple[str, ...], bool]:
    """Return the chain lengthened by the answer's aliases inside ``zone``, and whether it loops or is too long."""
    while within(chain[-1], zone) and (target := answer.alias(chain[-1])) is not None:
        looping = target in chain or len(chain) > LONGEST_CHAIN
        chain = (*chain, target)
        if looping:
            return chain, True
    return chain, False


def _nothing(answer: Answer, chain: tuple[str, ...], *, by_resolver: bool) -> Lookup:
    if answer.rcode == "NXDOMAIN":
        outcome = Outcome.NXDOMAIN if len(chain) == 1 else Outcome.DANGLING
        return Lookup(outcome, chain, by_resolver=by_resolver)
    unsure = not answer.authoritative and not answer.recursion_available and answer.zone_of_denial() is None
    # an empty answer of the resolver is one, also without an SOA (RFC 2308 §2.2); but for a referral
    if unsure and (not by_resolver or any(record.type == "NS" for record in answer.authority)):
        return Lookup(Outcome.SILENT, chain, said="referral", by_resolver=by_resolver)
    return Lookup(Outcome.NONE, chain, by_resolver=by_resolver)


def _unanswered(case: Case, answer: Answer, chain: tuple[str, ...], *, by_resolver: bool) -> Lookup:
    """Tell an error from a loop, which resolvers may report as one."""
    if answer.failed and by_resolver:
        traced, looping = trace(case, chain)
        if looping:
            return Lookup(Outcome.LOOP, traced)
        chain = traced
    outcome = Outcome.SILENT if answer.silent else Outcome.FAILED
    return Lookup(outcome, chain, said=answer.trouble, by_resolver=by_resolver)


def trace(case: Case, chain: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Follow aliases through the resolver one question at a time; tell whether they loop."""
    while True:
        answer = case.world.dns.query(chain[-1], "CNAME", checking_disabled=True)
        longer, looping = follow(answer, chain) if answer.good else (chain, False)
        if looping or longer == chain:
            return longer, looping
        chain = longer
