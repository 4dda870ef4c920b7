"""Old keys on targets: thrown away a while after they were replaced, and never what is served or can be put back."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from services.deployment import garbage, rollback
from services.deployment.files import REVISIONS, FilesSettings, FilesTarget
from services.deployment.garbage import Facts
from services.model.certificates import Revision
from services.ports import DeployTarget
from tests.building import START, Built
from tests.unit.test_rollback import roll_back

DAY = timedelta(days=1)
GRACE = 7 * DAY
NAMES = ("a.moon.test", "moon.test")


def revision(number: int, *, issued: bool = True) -> Revision:
    """Return the revision that was signed on this day."""
    at = START + number * DAY
    chain, not_before = ("chain", at) if issued else (None, None)
    end = at + 90 * DAY
    return Revision(
        f"rev_{number}", "cert", NAMES, "", b"k", at, chain=chain, not_before=not_before, not_after=end
    )


def gone(facts: Facts, *numbers: int) -> list[str]:
    newest_first = [revision(number) for number in sorted(numbers, reverse=True)]
    return [one.id for one in garbage.garbage(newest_first, facts)]


def facts(day: int, *kept: int, back_on: int | None = None) -> Facts:
    at = START + back_on * DAY if back_on is not None else None
    return Facts(START + day * DAY, GRACE, frozenset(f"rev_{number}" for number in kept), at)


def test_what_was_replaced_is_garbage_when_the_grace_is_over() -> None:
    assert gone(facts(66, 60), 0, 60) == []
    assert gone(facts(67, 60), 0, 60) == ["rev_0"]


def test_what_is_installed_or_can_be_put_back_is_not() -> None:
    assert gone(facts(500, 120, 60), 0, 60, 120) == ["rev_0"]


def test_after_a_roll_back_the_newer_one_counts_from_then() -> None:
    assert gone(facts(71, 0, back_on=65), 0, 60) == []
    assert gone(facts(72, 0, back_on=65), 0, 60) == ["rev_60"]


def test_what_was_never_issued_never_lay_there_and_replaces_nothing() -> None:
    tried = revision(61, issued=False)
    assert garbage.garbage([tried, revision(0)], facts(500)) == ()


# --- on a target of files


@pytest.fixture
def target(tmp_path: Path) -> FilesTarget:
    return FilesTarget("edge", FilesSettings(tmp_path / "edge"))


def renewed(target: FilesTarget, times: int) -> Built:
    """Return a world in which certificates were renewed so often, every sixty days, and each lies on the target."""
    built = Built()
    built.add(*NAMES)
    built.settle()
    _deployed(built, target)
    for _ in range(times):
        built.advance(59 * DAY)
        built.renew(*NAMES)
        built.settle()
        _deployed(built, target)
    return built


def _deployed(built: Built, target: FilesTarget) -> None:
    live = built.live
    target.deploy(live, built.vault.open(live.sealed_key, live.key_binding).decode())


def collect(built: Built, targets: Sequence[DeployTarget]) -> int:
    return garbage.collect(built.desk, targets, built.one.id)


def kept(tmp_path: Path) -> set[str]:
    return {one.name for one in (tmp_path / "edge" / REVISIONS).iterdir()}


def test_the_files_of_what_nobody_needs_are_gone_with_their_keys(tmp_path: Path, target: FilesTarget) -> None:
    built = renewed(target, 3)
    ids = [one.id for one in built.revisions]
    assert kept(tmp_path) == set(ids)
    built.now += GRACE
    assert collect(built, [target]) == 2
    assert kept(tmp_path) == set(ids[2:])  # the installed one, and the one before, which could be put back
    assert target.current(NAMES[0]) == built.one.serial
    assert collect(built, [target]) == 2
    assert kept(tmp_path) == set(ids[2:])


def test_what_a_name_leads_to_stays_whatever_the_database_says(tmp_path: Path, target: FilesTarget) -> None:
    built = renewed(target, 2)
    first = built.revisions[0]
    target.deploy(first, built.vault.open(first.sealed_key, first.key_binding).decode())
    built.now += GRACE
    collect(built, [target])
    assert first.id in kept(tmp_path)


def test_nothing_goes_while_something_else_is_served_or_a_target_lacks_it(
    tmp_path: Path, target: FilesTarget
) -> None:
    built = renewed(target, 3)
    built.now += GRACE
    lacking = FilesTarget("second", FilesSettings(tmp_path / "second"))
    assert collect(built, [target, lacking]) == 0
    built.edge.stale = True
    built.renew(*NAMES)
    built.settle()
    assert built.one.unproved
    assert collect(built, [target]) == 0
    assert len(kept(tmp_path)) == 4


def test_what_was_rolled_back_to_stays_and_what_it_replaced_goes(tmp_path: Path, target: FilesTarget) -> None:
    built = renewed(target, 1)
    first, second = built.revisions
    roll_back(built)
    built.settle()
    _deployed(built, target)
    collect(built, [target])
    assert kept(tmp_path) == {first.id, second.id}
    built.now += GRACE
    collect(built, [target])
    assert kept(tmp_path) == {first.id}


def test_a_roll_back_after_a_collection_has_what_it_needs(tmp_path: Path, target: FilesTarget) -> None:
    built = renewed(target, 2)
    before = built.revisions[1]
    built.now += GRACE
    collect(built, [target])
    with built.storage.read() as tx:
        found = rollback.candidate(built.desk, tx, built.one, built.now)
    assert isinstance(found, Revision)
    assert found.id == before.id
    assert found.id in kept(tmp_path)


def test_a_target_that_fails_keeps_nobody_else_from_it(tmp_path: Path, target: FilesTarget) -> None:
    built = renewed(target, 3)
    built.now += GRACE
    (tmp_path / "file").write_text("")
    broken = FilesTarget("edge", FilesSettings(tmp_path / "file" / "below"))
    collect(built, [broken, target])
    assert len(kept(tmp_path)) == 2
