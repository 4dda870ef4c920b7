"""Politeness in DNS: no server is asked more than so many questions at the same time by one process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.checks.world import Answer, Dns, Server


@dataclass(slots=True)
class _Counter:
    """The turns at one server, and how many threads have or await one."""

    turns: threading.Semaphore
    users: int = field(default=0)


class Polite:
    """Implements `services.checks.world.Dns` around another one; any thread may call.

    What it keeps is bounded by the threads that ask: a server that nobody asks is forgotten. The resolvers are ours
    and made for many questions, so they are not rationed; one name that makes them wait must not hold up the others.
    """

    def __init__(self, dns: Dns, per_server: int) -> None:
        """Let ``per_server`` questions (at least 1) be under way at each authoritative server's address."""
        self._dns, self._per_server = dns, per_server
        self._counters: dict[str, _Counter] = {}
        self._lock = threading.Lock()

    @property
    def asks_parent(self) -> bool:
        """Whether authoritative servers may be asked; see `services.checks.world.Dns.asks_parent`."""
        return self._dns.asks_parent

    @property
    def resolvers(self) -> tuple[Server, ...]:
        """The resolvers one by one; see `services.checks.world.Dns.resolvers`."""
        return self._dns.resolvers

    def query(
        self,
        name: str,
        rtype: str,
        server: Server = None,
        *,
        recursion_desired: bool | None = None,
        checking_disabled: bool = False,
        dnssec_ok: bool = False,
    ) -> Answer:
        """Ask when it is this question's turn; its time to be answered begins only then."""
        with self._turn(server):
            return self._dns.query(
                name,
                rtype,
                server,
                recursion_desired=recursion_desired,
                checking_disabled=checking_disabled,
                dnssec_ok=dnssec_ok,
            )

    @contextmanager
    def _turn(self, server: Server) -> Iterator[None]:
        if server is None or server in self._dns.resolvers:
            yield
            return
        address = server if isinstance(server, str) else server[0]
        counter = self._joined(address)
        try:
            with counter.turns:
                yield
        finally:
            self._left(address, counter)

    def _joined(self, address: str) -> _Counter:
        with self._lock:
            counter = self._counters.get(address)
            if counter is None:
                counter = self._counters[address] = _Counter(threading.Semaphore(self._per_server))
            counter.users += 1
            return counter

    def _left(self, address: str, counter: _Counter) -> None:
        with self._lock:
            counter.users -= 1
            if not counter.users:
                del self._counters[address]
