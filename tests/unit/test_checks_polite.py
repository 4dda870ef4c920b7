"""No server is asked more than so many questions at once; nobody else waits for its turn, and nothing is left behind."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import pytest

from bot.demo.parts.process import wait_until
from services.checks.polite import Polite
from services.checks.world import Answer, Server


@dataclass
class SlowDns:
    """Answers nothing until it is let; counts who is being asked."""

    go_on: threading.Event = field(default_factory=threading.Event)
    under_way: dict[Server, int] = field(default_factory=dict)
    most: int = 0
    options: list[tuple[bool | None, bool, bool]] = field(default_factory=list)
    asks_parent: bool = True
    resolvers: tuple[Server, ...] = (("127.0.0.53", 53),)
    lock: threading.Lock = field(default_factory=threading.Lock)

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
        with self.lock:
            self.options.append((recursion_desired, checking_disabled, dnssec_ok))
            self.under_way[server] = self.under_way.get(server, 0) + 1
            self.most = max(self.most, self.under_way[server])
        assert self.go_on.wait(10)
        with self.lock:
            self.under_way[server] -= 1
        if name == "broken.test":
            raise RuntimeError(name)
        return Answer(name, rtype)


def test_one_server_is_asked_so_many_at_once_and_others_do_not_wait() -> None:
    dns = SlowDns()
    polite = Polite(dns, 3)
    with ThreadPoolExecutor(20) as pool:
        one = [pool.submit(polite.query, f"n{n}.test", "A", "192.0.2.1") for n in range(10)]
        wait_until(lambda: dns.under_way.get("192.0.2.1") == 3, 10, "three questions under way")
        other = pool.submit(polite.query, "a.test", "A", ("192.0.2.2", 5300))
        resolvers = [pool.submit(polite.query, "a.test", "A") for _ in range(5)]
        wait_until(lambda: dns.under_way.get(("192.0.2.2", 5300)) == 1, 10, "the other server")
        wait_until(lambda: dns.under_way.get(None) == 5, 10, "the resolvers, which are not rationed")
        assert dns.under_way["192.0.2.1"] == 3
        dns.go_on.set()
        wait([*one, other, *resolvers], timeout=10)
    assert sorted(future.result().name for future in one) == [f"n{n}.test" for n in range(10)]
    assert dns.under_way["192.0.2.1"] == 0


def test_an_address_is_one_server_whatever_its_port() -> None:
    dns = SlowDns()
    polite = Polite(dns, 1)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(polite.query, "a.test", "A", "192.0.2.1")
        wait_until(lambda: dns.under_way.get("192.0.2.1") == 1, 10, "the first question")
        second = pool.submit(polite.query, "a.test", "A", ("192.0.2.1", 53))
        wait_until(lambda: polite._counters["192.0.2.1"].users == 2, 10, "the second one in the queue")
        assert ("192.0.2.1", 53) not in dns.under_way
        dns.go_on.set()
        wait([first, second], timeout=10)
    assert second.result().good


def test_nothing_is_kept_of_a_server_that_nobody_asks_whatever_happened() -> None:
    dns = SlowDns()
    dns.go_on.set()
    polite = Polite(dns, 2)
    for number in range(50):
        polite.query("a.test", "A", f"192.0.2.{number}")
    for _ in range(5):  # more than there are turns: each was given back
        with pytest.raises(RuntimeError):
            polite.query("broken.test", "A", "192.0.2.1")
    assert polite._counters == {}


def test_the_question_is_passed_on_as_it_is() -> None:
    dns = SlowDns()
    dns.go_on.set()
    polite = Polite(dns, 1)
    polite.query("a.test", "DS", "192.0.2.1", recursion_desired=True, checking_disabled=True, dnssec_ok=True)
    assert dns.options == [(True, True, True)]
    assert polite.asks_parent
