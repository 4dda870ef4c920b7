"""What a CA wants replaced at once: the plan's message, at every stage."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from services.model.jobs import JobState
from services.model.settings import CaSettings
from tests.samples.sample import Sample, in_message
from tests.unit.recall_world import MANY, Fleet, fleet

GROUP = "S0ONCALL1"
MINUTE = timedelta(minutes=1)


def planned(count: int = 8, *, broken: bool = False) -> Fleet:
    """Return a fleet with a plan that was begun just now; ``broken``: for one of its names no CA issues any more."""
    built = fleet(count)
    built.alerting = replace(built.alerting, oncall_group=GROUP)
    first, rest = built.all[: MANY - 1], built.all[MANY - 1 :]
    built.recall(first)
    built.advance(7 * 60 * MINUTE)
    built.recall(rest)
    for ca in built.cas.values():
        ca.broken |= {rest[-1].domain} if broken else set()
    while not built.jobs or not built.plan.total:
        built.advance(MINUTE / 60)
    return built


def plans() -> Iterator[Sample]:
    """Yield it as it begins, waits for a CA, stands still, ends well, ends with some that are left, and was cancelled."""
    built = planned()
    yield from _shown(built)
    built.limits["first"] = CaSettings("first", "https://first.test", limits={"orders": (1, MINUTE * 600)})
    built.advance(3 * MINUTE)
    yield from _shown(built)
    built.turn(JobState.PAUSED)
    yield from _shown(built)
    built.turn(JobState.RUNNING)
    del built.limits["first"]
    built.advance(60 * MINUTE)
    yield from _shown(built)
    yield from _shown(failed())
    stopped = planned()
    stopped.turn(JobState.CANCELLED)
    yield from _shown(stopped)


def failed() -> Fleet:
    """Return a fleet with a plan that has ended, and of which one certificate could not be replaced."""
    built = planned(broken=True)
    built.advance(60 * MINUTE)
    return built


def _shown(built: Fleet) -> Iterator[Sample]:
    for message in built.messages:
        yield from in_message(built.desk_of(), message)
