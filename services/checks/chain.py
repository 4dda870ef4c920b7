"""The chain of checks: an explicit, ordered list; all of them run, none stops another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from services.checks import (
    access,
    addresses,
    answers,
    baseline,
    ca,
    caa,
    delegation,
    domain,
    policy,
    registration,
    resolution,
    servers,
    stale,
    store,
)
from services.checks.case import Case
from services.checks.rules import MEANINGLESS
from services.checks.world import World
from services.model.findings import Finding, worst_first
from services.ports import Subject


@dataclass(frozen=True, slots=True)
class Check:
    """One entry of the chain."""

    name: str
    run: Callable[[Case], tuple[Finding, ...]]
    asks: bool = True
    """Whether it asks the network; such a check is left out for a name that can have no certificate anyway."""
    waits: bool = False
    """Whether it asks more than DNS, and may wait for that: in threads that no other check waits for."""


CHAIN: tuple[Check, ...] = (
    # rules of the business: they need nothing but what the database knows
    Check("domain", domain.check, asks=False),
    Check("store", store.check, asks=False),
    Check("policy", policy.check, asks=False),
    # the registry first: without a registration nothing below it works
    Check("registration", registration.check, waits=True),
    # from the root of the tree to the leaf: what is wrong higher up explains what is wrong below
    Check("delegation", delegation.check),
    Check("servers", servers.check),
    Check("resolution", resolution.check),
    Check("addresses", addresses.check, waits=True),
    Check("answers", answers.check),
    # what answers there
    Check("access", access.check, waits=True),
    # what the CA reads before it issues
    Check("caa", caa.check),
    # what would be in the way of dns-01
    Check("stale", stale.check),
    # what is compared from look to look where a CA refuses what all the others find right
    Check("baseline", baseline.check),
    # what the CA would say of an order, as far as we have counted
    Check("ca", ca.check),
)
"""Every check, in the order in which findings of the same weight are shown."""


class Chain:
    """Implements `services.ports.Checker`. Any thread may call; all share four bounded pools of threads.

    Two pools run checks, two others single questions and probes; a check waits for these and never the other way round.
    What a dead edge or registry keeps waiting has threads of its own: DNS goes on beside it.
    """

    def __init__(
        self, world: World, chain: tuple[Check, ...] = CHAIN, *, checks: int = 8, questions: int = 32
    ) -> None:
        """Run at most ``checks`` checks and ``questions`` questions at the same time, over all callers.

        Twice as many checks again may wait for HTTP (see `Check.waits`), with as many probes as questions.
        """
        self._world = world
        self._offline = tuple(check for check in chain if not check.asks)
        self._online = tuple(check for check in chain if check.asks)
        self._checkers = ThreadPoolExecutor(checks, thread_name_prefix="check")
        self._askers = ThreadPoolExecutor(questions, thread_name_prefix="ask")
        self._waiters = ThreadPoolExecutor(2 * checks, thread_name_prefix="wait")
        self._visitors = ThreadPoolExecutor(questions, thread_name_prefix="visit")

    def check(self, subject: Subject) -> tuple[Finding, ...]:
        """Return what was found, worst first; see `services.ports.Checker.check`."""
        case = self._case(subject)
        found = _all(self._offline, case)
        if not any(finding.code in MEANINGLESS for finding in found):
            runs = [self._pool(check).submit(check.run, case) for check in self._online]
            found = (*found, *(finding for run in runs for finding in run.result()))
        return worst_first(found)

    def rules(self, subject: Subject) -> tuple[Finding, ...]:
        """Return the findings of those checks that need no network, worst first."""
        return worst_first(_all(self._offline, self._case(subject)))

    def _case(self, subject: Subject) -> Case:
        return Case(self._world, subject, self._askers, self._visitors)

    def _pool(self, check: Check) -> ThreadPoolExecutor:
        return self._waiters if check.waits else self._checkers

    def close(self) -> None:
        """Let the threads end. May be called twice."""
        for pool in (self._checkers, self._waiters, self._askers, self._visitors):
            pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _all(checks: tuple[Check, ...], case: Case) -> tuple[Finding, ...]:
    return tuple(finding for check in checks for finding in check.run(case))
