"""Old keys on targets: thrown away a while after they were replaced, and never what is served or can be put back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.deployment import garbage, rollback
from services.deployment.files import REVISIONS, FilesSettings, FilesTarget
from services.deployment.garbage import Facts
from services.issuance import removing
from services.model.certificates import NOT_SERVED, Revision
from services.model.stores import Domain, Store
from services.ports import DeployTarget
from tests.building import START, Built
from tests.desks import finding
from tests.minted import Mint
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
    with built.storage.write() as tx:
        tx.certificates.put_findings(built.one.id, (finding(NOT_SERVED, NAMES[0]),))
    assert collect(built, [target]) == 0
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


# --- names that are wanted no more


def remove(built: Built, *names: str) -> None:
    with built.storage.write() as tx:
        removing.remove(built.desk, tx, built.one.id, names, "terminal", built.now)


def taken_off(built: Built) -> list[str]:
    return [str(row.details) for row in built.happened(garbage.TAKEN_OFF)]


def test_what_is_removed_stays_until_it_has_expired_and_then_nothing_of_it_is_left(
    tmp_path: Path, target: FilesTarget
) -> None:
    built = renewed(target, 1)
    remove(built, *NAMES)
    end = built.one.not_after
    assert end is not None
    built.now = end + GRACE - timedelta(seconds=1)
    collect(built, [target])
    assert target.current(NAMES[0]) == built.one.serial
    assert taken_off(built) == []
    built.now = end + GRACE
    collect(built, [target])
    assert {one.name for one in (tmp_path / "edge").iterdir()} == {REVISIONS}
    assert kept(tmp_path) == set()
    assert taken_off(built) == [f"{name} from edge" for name in NAMES]
    collect(built, [target])
    assert len(taken_off(built)) == len(NAMES)


def test_a_name_that_a_renewal_left_out_goes_with_its_key_and_the_others_stay(
    tmp_path: Path, target: FilesTarget
) -> None:
    built = renewed(target, 0)
    first = built.live
    remove(built, NAMES[0])
    for _ in range(2):
        built.advance(50 * DAY)
        built.renew(NAMES[1])
        built.settle()
        _deployed(built, target)
    collect(built, [target])
    assert target.current(NAMES[0]) is None  # its last certificate expired ten days ago
    assert target.current(NAMES[1]) == built.one.serial
    assert first.id not in kept(tmp_path)
    assert taken_off(built) == [f"{NAMES[0]} from edge"]


@pytest.mark.parametrize("whose", ["its own, again", "another store's", "somebody's by hand"])
def test_a_name_that_somebody_wants_or_has_put_there_is_not_taken_off(
    target: FilesTarget, whose: str
) -> None:
    built = renewed(target, 0)
    first, key = built.live, built.vault.open(built.live.sealed_key, built.live.key_binding).decode()
    one = built.one
    remove(built, *NAMES)
    built.now += 100 * DAY
    match whose:
        case "its own, again":
            built.checker.says[NAMES[0]] = (finding("store.inactive", NAMES[0]),)
            built.add(NAMES[0])
            built.settle()
        case "another store's":
            with built.storage.write() as tx:
                tx.stores.put(Store("sun"))
                tx.stores.put_domain(Domain(NAMES[0], "sun"))
                tx.certificates.add(replace(one, id="cert_sun", store="sun", wanted=(NAMES[0],)))
        case _:
            strange, key = Mint().revision(NAMES[0])
            target.deploy(replace(strange, names=(NAMES[0],)), key)
            first = strange
    garbage.collect(built.desk, [target], one.id)
    assert target.current(NAMES[0]) == first.serial
    assert target.current(NAMES[1]) is None


def test_attempts_that_came_to_nothing_hide_no_old_key(tmp_path: Path, target: FilesTarget) -> None:
    built = renewed(target, 1)
    first = built.revisions[0]
    with built.storage.write() as tx:
        for number in range(garbage.MOST):
            tried = replace(first, id=f"rev_tried_{number}", chain=None, serial=None, created_at=built.now)
            tx.certificates.put_revision(tried)
    built.advance(59 * DAY)
    built.renew(*NAMES)
    built.settle()
    _deployed(built, target)
    built.now += GRACE
    collect(built, [target])
    assert first.id not in kept(tmp_path)
