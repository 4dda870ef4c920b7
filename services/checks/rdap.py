"""Registrations over RDAP (RFC 9082, RFC 9083): asked politely, kept for a while, and never in the way."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from services.checks.rdap_answers import read
from services.checks.rdap_servers import IANA, Place, Servers
from services.checks.rdap_wire import Reply, Wire, WireError
from services.checks.world import Registration
from services.issuance.acme.times import retry_after
from services.model.clock import Clock
from services.model.settings import Probing, RdapSettings

CALM = timedelta(hours=12)
"""How long an answer is kept whose end is far and that has no trouble in it."""
CLOSE = timedelta(minutes=5)
"""How long another answer is kept: less than the time after which a blocker is looked at again to confirm it."""
FAILED = timedelta(minutes=2)
"""How long it is remembered that there was no answer."""
FAR = timedelta(days=60)
MOST = 10_000
"""Answers that are kept; the oldest goes first."""
AT_ONCE = 2
"""Exchanges with one server at the same time."""
PAUSE = timedelta(minutes=1)
"""How long a server is left alone that says that it was asked too often and not for how long."""
LONGEST_PAUSE = timedelta(hours=1)
REST = timedelta(seconds=30)
"""How long a server is left alone that did not answer: a fleet's pass must not wait for it name by name."""
LARGEST = 1 << 18
"""Bytes of one answer; real ones have a few thousand."""
LARGEST_LIST = 1 << 21
TROUBLED = frozenset(
    {"client hold", "server hold", "redemption period", "pending delete", "auto renew period"}
)
_NO_ANSWER = frozenset({"timeout", "refused", "unreachable", "tls"})
_STATUSES: Mapping[int, str] = {401: "forbidden", 403: "forbidden", 404: "not_found", 429: "limited"}


@dataclass(frozen=True, slots=True)
class _Pause:
    """A server is not asked."""

    until: datetime
    error: str


class _Turn:
    """One at a time for one domain: who comes second finds the first one's answer."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class Rdap:
    """Implements `services.checks.world.Registrations`. Any thread may call; one question per domain is under way."""

    def __init__(
        self, settings: RdapSettings, probing: Probing, clock: Clock, *, listed_at: str = IANA
    ) -> None:
        """``probing`` says which addresses may be connected to though they are not public, and whose chains are trusted."""
        self._clock, self._timeout = clock, settings.timeout
        self._wire = Wire(probing, settings.timeout)
        self._servers = Servers(settings.servers, self._list, clock, listed_at)
        self._kept: OrderedDict[str, tuple[datetime, Registration]] = OrderedDict()
        self._turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()
        self._at_once: dict[str, threading.BoundedSemaphore] = {}
        self._pauses: dict[str, _Pause] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections that are kept open. May be called twice."""
        self._wire.close()

    def look_up(self, domain: str) -> Registration:
        """Return the registration of a registrable domain; see `services.checks.world.Registrations.look_up`."""
        with self._lock:
            turn = self._turns.get(domain)
            if turn is None:
                turn = self._turns[domain] = _Turn()
        with turn.lock:
            return self._recall(domain) or self._keep(self._find(domain))

    def _recall(self, domain: str) -> Registration | None:
        with self._lock:
            until, found = self._kept.get(domain, (None, None))
            return found if until is not None and self._clock() < until else None

    def _keep(self, found: Registration) -> Registration:
        now = self._clock()
        with self._lock:
            self._kept[found.domain] = (now + kept_for(found, now), found)
            self._kept.move_to_end(found.domain)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found

    def _find(self, domain: str) -> Registration:
        place = self._servers.place_of(domain)
        if place.error:
            return Registration(domain, error=place.error)
        try:
            server = urlsplit(place.url).netloc
        except ValueError:
            return Registration(domain, source=place.url, error="malformed")
        if error := self._paused(server):
            return Registration(domain, source=place.url, error=error)
        with self._lock:
            turns = self._at_once.setdefault(server, threading.BoundedSemaphore(AT_ONCE))
        if not turns.acquire(timeout=self._timeout):
            return Registration(domain, source=place.url, error="busy")
        try:
            return self._ask(domain, place, server)
        finally:
            turns.release()

    def _ask(self, domain: str, place: Place, server: str) -> Registration:
        if error := self._paused(server):  # while others had their turn
            return Registration(domain, source=place.url, error=error)
        try:
            reply = self._wire.get(place.url, LARGEST, trusted=place.trusted)
        except WireError as failure:
            if failure.why in _NO_ANSWER:
                self._pause(server, self._clock() + REST, failure.why)
            return Registration(domain, source=place.url, error=failure.why)
        if reply.status == 200:
            return read(domain, reply.body, reply.url)
        self._heed(server, reply)
        return Registration(domain, source=reply.url, error=_STATUSES.get(reply.status, "failed"))

    def _heed(self, server: str, reply: Reply) -> None:
        """Leave a server alone for as long as it asks for (RFC 6585 §4, RFC 9110 §15.6.4)."""
        now = self._clock()
        wanted = retry_after(reply.retry_after, now)
        if reply.status == 429 or (reply.status == 503 and wanted is not None):
            error = _STATUSES.get(reply.status, "failed")
            self._pause(server, min(wanted or now + PAUSE, now + LONGEST_PAUSE), error)

    def _pause(self, server: str, until: datetime, error: str) -> None:
        with self._lock:
            self._pauses[server] = _Pause(until, error)

    def _paused(self, server: str) -> str:
        """Return why this server is not asked now; empty if it may be."""
        with self._lock:
            pause = self._pauses.get(server)
            if pause is None or self._clock() < pause.until:
                return pause.error if pause else ""
            del self._pauses[server]
            return ""

    def _list(self, url: str) -> bytes | None:
        """Return IANA's list, or None if it cannot be had."""
        try:
            reply = self._wire.get(url, LARGEST_LIST, trusted=url != IANA)
        except WireError:
            return None
        return reply.body if reply.status == 200 else None


def kept_for(found: Registration, now: datetime) -> timedelta:
    """Return how long an answer is kept: the calmer, the longer."""
    if found.error:
        return FAILED
    far = found.expires_at is not None and found.expires_at - now > FAR
    return CALM if far and not found.statuses & TROUBLED else CLOSE
