"""Asks one edge address for the proof that it is ours, and follows redirects from there as a CA does."""

import re
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, urljoin, urlsplit

from services.checks.case import Case
from services.checks.http_answer import REDIRECTS
from services.checks.reach import may_be_used
from services.checks.rules import host_name, parsed
from services.checks.world import Fetched, Web
from services.model.settings import Probing
from services.model.text import NOTHING, Text, say

Address = IPv4Address | IPv6Address
MOST_REDIRECTS = 10
"""Redirects that Let's Encrypt follows in a row (its integration guide); other CAs follow no more."""
PATIENCE = 2
"""The whole walk may take so many times `Probing.timeout`: a CA does not wait longer either."""
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})")
_CHALLENGED = (b"captcha", b"challenge", b"access denied", b"attention required", b"just a moment")
"""What stands in the pages by which firewalls put visitors to the test, in lower case."""


class Outcome(StrEnum):
    """How asking one edge address ended."""

    PROVEN = "proven"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NO_TLS = "no_tls"  # the handshake is broken off
    WRONG = "wrong"
    FORBIDDEN = "forbidden"
    AWAY = "away"
    LOOP = "loop"
    UNKNOWN = "unknown"  # nothing that speaks of the edge


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes, but for the address."""

    scheme: str
    host: str
    port: int
    """The port that is connected to: of Probing, where the URL means 80 or 443."""
    path: str

    @property
    def url(self) -> str:
        """The URL as people read it."""
        port = "" if self.port == _USUAL[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}"


_USUAL = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one edge address led to, over one scheme."""

    address: str
    scheme: str
    outcome: Outcome
    last: Fetched
    """The last answer, or the redirect that cannot be followed."""
    chain: tuple[str, ...]
    """The URLs that were asked for, and at the end the target that is not followed, if there is one."""
    reason: Text = NOTHING
    """Why the last redirect is not followed."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What is asked for everywhere: the same name, path and proof."""

    web: Web
    name: str
    """The host name that is probed."""
    path: str
    proof: str
    """What the body must be."""
    token: str = ""
    shown: str = ""
    """The name as people should read it; empty: as it is."""

    def told(self, text: str) -> str:
        """Return a URL without what chance put into it, so that the same trouble reads the same each time."""
        plain = text.replace(self.token, "TOKEN") if self.token else text
        return plain.replace(self.name, self.shown or self.name)


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a redirect is not followed, and what that means."""

    reason: Text
    outcome: Outcome = Outcome.AWAY


def walk(case: Case, errand: Errand, edge: Address, scheme: str) -> Reading:
    """Return what the edge address ``edge`` answers over ``scheme``, redirects followed.

    A redirect to the same name stays on the edge address; one to another name is resolved, and asked there unless the
    address may not be used. Where the proof comes in the end all is well: a CA would find its challenge as well.
    """
    reading = _walk(case, errand, edge, scheme)
    last = replace(reading.last, location=errand.told(reading.last.location))
    return replace(reading, last=last, chain=tuple(errand.told(url) for url in reading.chain))


def _walk(case: Case, errand: Errand, edge: Address, scheme: str) -> Reading:
    probing = case.world.probing
    limit = time.monotonic() + PATIENCE * probing.timeout
    target, address = Target(scheme, errand.name, _port(scheme, probing), errand.path), edge
    chain: tuple[str, ...] = (target.url,)
    while True:
        fetched = errand.web.get(target.scheme, address, target.port, target.host, target.path)
        if not (fetched.status in REDIRECTS and fetched.location):
            strayed = address not in case.world.platform.addresses
            return _ended(errand, edge, scheme, fetched, chain, strayed=strayed)
        following = target_of(target, fetched.location, probing)
        if isinstance(following, Stop):
            chain = (*chain, fetched.location)
            return Reading(str(edge), scheme, following.outcome, fetched, chain, following.reason)
        target = following
        if target.url in chain or len(chain) > MOST_REDIRECTS:
            return Reading(str(edge), scheme, Outcome.LOOP, fetched, (*chain, target.url))
        chain = (*chain, target.url)
        found = edge if target.host == errand.name else address_of(case, target.host, edge)
        if isinstance(found, Stop):
            return Reading(str(edge), scheme, found.outcome, fetched, chain, found.reason)
        if time.monotonic() > limit:
            late = Fetched(fetched.status, fetched.location, error="timeout", detail="slow redirects")
            return Reading(str(edge), scheme, Outcome.UNREACHABLE, late, chain)
        address = found


def _ended(
    errand: Errand, edge: Address, scheme: str, fetched: Fetched, chain: tuple[str, ...], *, strayed: bool
) -> Reading:
    outcome = outcome_of(fetched, errand.proof)
    if strayed and outcome not in (Outcome.PROVEN, Outcome.UNKNOWN):
        reason = say("what answers there is not the platform's edge")
        return Reading(str(edge), scheme, Outcome.AWAY, fetched, chain, reason)
    return Reading(str(edge), scheme, outcome, fetched, chain)


_FAILED = {
    "timeout": Outcome.UNREACHABLE,
    "unreachable": Outcome.UNREACHABLE,
    "reset": Outcome.UNREACHABLE,
    "refused": Outcome.REFUSED,
    "tls": Outcome.NO_TLS,
    "not_tls": Outcome.WRONG,
    "not_http": Outcome.WRONG,
    "malformed": Outcome.WRONG,
    "local": Outcome.UNKNOWN,
}
_FORBIDS = frozenset({401, 403, 407, 429, 451})


def proves(fetched: Fetched, proof: str) -> bool:
    """Tell whether an answer is the proof. CAs take the status 200 alone, and pass over blanks at the end alone (RFC 8555 §8.3)."""
    return fetched.status == 200 and fetched.body.rstrip() == proof.encode()


def outcome_of(fetched: Fetched, proof: str) -> Outcome:
    """Judge one answer that leads no further: to the proof, which is as strict as a CA, or to a kind of trouble."""
    if fetched.error:
        return _FAILED[fetched.error]
    if proves(fetched, proof):
        return Outcome.PROVEN
    page = fetched.body.lower()
    tested = fetched.status == 503 and any(word in page for word in _CHALLENGED)
    return Outcome.FORBIDDEN if tested or fetched.status in _FORBIDS else Outcome.WRONG


def _port(scheme: str, probing: Probing) -> int:
    return probing.https_port if scheme == "https" else probing.http_port


def target_of(now: Target, location: str, probing: Probing) -> Target | Stop:
    """Return where a Location leads, or why a CA does not go there.

    CAs follow redirects to http and https, to the ports 80 and 443, and to names alone.
    """
    try:
        parts = urlsplit(urljoin(now.url, location.strip()))
        scheme, host, port = parts.scheme, host_name(parts.hostname or ""), parts.port
    except ValueError:
        return Stop(say("that is no URL"))
    if scheme not in _USUAL:
        return Stop(say("CAs follow redirects to http and https only"))
    if _is_address(host):
        return Stop(say("CAs do not follow redirects to bare addresses"))
    if not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return Stop(say("that is no host name"))
    usual = {80: probing.http_port, 443: probing.https_port}
    wanted = port or _USUAL[scheme]
    if wanted not in (*usual, *usual.values()):
        return Stop(say("CAs follow redirects to the ports 80 and 443 only"))
    query = f"?{parts.query}" if parts.query else ""
    path = quote((parts.path or "/") + query, safe="/%?&=:;,@!$'()*+~[]-._")
    return Target(scheme, host, usual.get(wanted, wanted), path)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return host.rpartition(".")[2].isdecimal()  # no top-level domain is a number: 127.1 and the like
    return True


def address_of(case: Case, host: str, edge: Address) -> Address | Stop:
    """Return the address where a redirect to ``host`` is followed: the same edge's if it is among them; or why not."""
    answers = tuple(case.resolve(host, rtype) for rtype in ("A", "AAAA"))
    found = [
        parsed(record.text) for answer in answers for record in answer.answer if record.type in ("A", "AAAA")
    ]
    if not found and any(answer.silent for answer in answers):
        return Stop(say("nobody answered the question for that host's addresses"), Outcome.UNKNOWN)
    if not found:
        return Stop(say("that host has no address"))
    ours = [address for address in found if address in case.world.platform.addresses]
    if ours:
        return edge if edge in ours else ours[0]
    allowed = [address for address in found if may_be_used(address, case.world.probing.allow_networks)]
    return allowed[0] if allowed else Stop(say("that host has no public address"))
