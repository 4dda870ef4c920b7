"""The drill ends well only if every certificate was replaced and is served: what is not fails it, by name."""

from contextlib import ExitStack
from typing import Any, cast

import pytest

from bot.demo import drill
from bot.demo.drill import Drill, names_of, platform
from bot.demo.stage import PlayError
from bot.demo.transcript import Transcript
from services.model.jobs import Counts, Job, JobState
from tests.building import Built

NAMES = names_of(6)


class _Certdesk:
    alive = True

    def tail(self) -> str:
        return "the end"


class _World:
    certdesk = _Certdesk()
    slack = None


def drilled(built: Built) -> Drill:
    world = cast("Any", _World())
    return Drill(world, built.storage, ExitStack(), Transcript(), lambda: None)


def test_the_platform_has_a_store_for_each_name_and_one_that_comes_late() -> None:
    sample = platform(6)
    assert set(sample.pages) == {*NAMES, drill.LATE}
    assert {name for name in sample.zones if name != "platform.test"} == set(sample.pages)
    assert sample.stores.count("\n") == 1 + 2 * 7


def test_a_certificate_that_is_as_it_was_fails_it() -> None:
    built = Built()
    built.add("moon.test")
    one = built.settle()
    with pytest.raises(PlayError, match=r"not replaced: moon\.test"):
        drilled(built)._served({"moon.test": str(one.serial)})


@pytest.mark.parametrize(
    ("state", "failed"), [(JobState.DONE, 1), (JobState.CANCELLED, 0), (JobState.PAUSED, 0)]
)
def test_a_plan_that_has_not_replaced_all_fails_it(state: JobState, failed: int) -> None:
    job = Job("job_1", "recall", {}, "certdesk", Built().now, 6, state=state)
    with pytest.raises(PlayError, match="the plan ended as"):
        drill.ended(job, Counts(done=6 - failed, failed=failed))


def test_a_plan_that_has_replaced_all_is_well() -> None:
    job = Job("job_1", "recall", {}, "certdesk", Built().now, 6, state=JobState.DONE)
    drill.ended(job, Counts(done=5, skipped=1))
