"""A step that takes long keeps its row, and one that raises is seen by people and tried again."""

from datetime import timedelta

from bot.leases import LONGEST, Leases
from services.model.findings import Finding
from services.model.lifecycle import State
from services.ports import Subject
from services.renewal import runner
from tests.building import Built
from tests.desks import ScriptedChecker

LEASE = timedelta(seconds=60)


def claimed_by_another(built: Built) -> int:
    with built.storage.write() as tx:
        return len(tx.certificates.claim(built.now, LEASE, 5))


def test_a_row_that_is_worked_on_for_long_is_not_claimed_by_another_worker() -> None:
    built = Built()
    leases = Leases(built.storage, built.clock, LEASE)
    others: list[int] = []

    class Slow(ScriptedChecker):
        def check(self, subject: Subject) -> tuple[Finding, ...]:
            for _ in range(10):
                built.now += timedelta(seconds=20)
                leases.extend()
                others.append(claimed_by_another(built))
            return super().check(subject)

    built.checker = Slow(wildcards=True)
    built.add("moon.test")
    with built.storage.write() as tx:
        [row] = tx.certificates.claim(built.now, LEASE, 1)
    with leases.kept(row):
        done = runner.run(built.parts, row)
    assert others == [0] * 10
    assert done is not None
    assert done.state is not State.CHECKING


def test_a_row_that_was_given_back_or_held_for_too_long_is_free() -> None:
    built = Built()
    leases = Leases(built.storage, built.clock, LEASE)
    built.add("moon.test")
    with built.storage.write() as tx:
        [row] = tx.certificates.claim(built.now, LEASE, 1)
    with leases.kept(row):
        built.now += LONGEST + LEASE
        leases.extend()
        assert claimed_by_another(built) == 1
        leases.extend()
    with built.storage.read() as tx:
        held = tx.certificates.get(row.id)
    assert held is not None
    assert held.fence == row.fence + 1
    leases.extend()


def test_what_nobody_foresaw_becomes_a_finding_with_the_errors_id_and_is_tried_again() -> None:
    built = Built()
    built.add("moon.test")
    with built.storage.write() as tx:
        [row] = tx.certificates.claim(built.now, LEASE, 1)
    runner.broken(built.parts, row, "err_42")
    one = built.one
    assert one.problem is not None
    assert one.problem.code == "certdesk.fault"
    assert "err_42" in one.problem.summary.plain()
    assert one.run_after is not None
    assert built.now < one.run_after <= built.now + timedelta(minutes=1)
    assert [h.what for h in built.history][-1] == "fault"
    runner.broken(built.parts, row, "err_43")
    assert built.one == one
    assert built.settle().state is State.INSTALLED
    assert built.one.problem is None
