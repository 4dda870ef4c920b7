"""The proof of service of every day: what the edge is seen to serve, what it becomes, when it is told, and that it heals."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.alerting.severity import of_members
from services.deployment.witness import Facts, Why, witnessed
from services.model.alerts import Severity
from services.model.certificates import Revision
from services.model.findings import Finding, Verdict
from services.model.lifecycle import State
from services.model.pacing import Watch
from services.model.sight import EVERY
from services.overview import describe
from services.ports import Served
from services.renewal import watching
from tests.building import EDGE, START, Built
from tests.desks import finding

NAME, OTHER = "moon.test", "a.moon.test"
CODE = "deploy.not_served"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATER = START + 40 * DAY


def served(serial: str | None, name: str = NAME, **more: Any) -> Served:
    known: dict[str, Any] = {"trusted": serial is not None, "not_after": LATER if serial else None}
    return Served(name, more.pop("address", EDGE), serial, **(known | more))


def facts(*, unreached: Sequence[str] = ()) -> Facts:
    revision = Revision("rev_2", "cert", (NAME, OTHER), "", b"", START, serial="0b")
    return Facts(revision, frozenset({"0a"}), frozenset(unreached), START)


def only(*seen: Served, unreached: Sequence[str] = ()) -> Finding:
    [found] = witnessed(seen, facts(unreached=unreached))
    return found


# --- what is wrong with what is served


def test_what_is_installed_and_trusted_is_well() -> None:
    assert witnessed([served("0b"), served("0b", OTHER)], facts()) == ()


@pytest.mark.parametrize(
    ("seen", "why", "words", "ends"),
    [
        (served("0a"), Why.STALE, "serves an earlier certificate for moon.test (serial 0a", LATER),
        (served("ff"), Why.FOREIGN, "that is not certdesk's (serial ff", LATER),
        (
            served("ff", trusted=False, error="self-signed certificate"),
            Why.FOREIGN,
            "browsers do not accept (serial ff: self-signed certificate)",
            START,
        ),
        (served("ff", not_after=START - DAY), Why.FOREIGN, "not certdesk's", START - DAY),
        (
            served("0b", trusted=False, incomplete=True),
            Why.INCOMPLETE,
            "without those of its CA",
            START,
        ),
        (
            served(None, error="timed out"),
            Why.SILENT,
            "does not answer for moon.test over TLS (timed out)",
            None,
        ),
    ],
)
def test_each_fault_is_named_with_the_address_and_when_visitors_see_it(
    seen: Served, why: Why, words: str, ends: datetime | None
) -> None:
    found = only(seen)
    assert (found.code, found.verdict, found.name) == (CODE, Verdict.BLOCK, NAME)
    assert words in found.summary.plain()
    assert EDGE in found.summary.plain()
    [one] = found.evidence["found"]
    assert (one["why"], one["address"], found.evidence["required"]) == (why.value, EDGE, "0b")
    said = found.evidence.get("ends")
    assert (datetime.fromisoformat(said) if said else None) == ends


def test_a_chain_that_nobody_can_judge_is_not_judged() -> None:
    """A CA whose root this machine does not know, such as one for trials: the chain that is served is the whole one."""
    assert (
        witnessed([served("0b", trusted=False, error="unable to get local issuer certificate")], facts())
        == ()
    )


def test_the_gravest_of_several_addresses_is_told_and_all_are_evidence() -> None:
    found = only(served("0a", address="192.0.2.1"), served("ff", address="192.0.2.2"), served("0b"))
    assert "192.0.2.2" in found.summary.plain()
    assert [one["address"] for one in found.evidence["found"]] == ["192.0.2.1", "192.0.2.2"]


def test_silence_that_the_checks_tell_of_already_is_not_told_twice() -> None:
    assert witnessed([served(None)], facts(unreached=[NAME])) == ()


# --- what becomes of it


@pytest.fixture
def built() -> Built:
    made = Built(names_of_cas=("first",), watching=True)
    made.add(NAME)
    made.settle()
    made.advance(2 * DAY)
    return made


def look(built: Built) -> timedelta:
    return watching.look(built.parts, Watch(built.one.id, built.now)) - built.now


def sightings(built: Built) -> Any:
    return built.reading(lambda tx: tx.alerts.sightings(built.one.id))


def stranger(built: Built, **more: Any) -> None:
    built.edge.says[NAME] = served("ff", trusted=False, error="self-signed certificate", **more)


def test_every_installed_certificate_is_looked_at_daily(built: Built) -> None:
    before = len(built.edge.asked)
    built.advance(10 * DAY)
    assert before + 9 <= len(built.edge.asked) <= before + 11


def test_one_look_tells_nobody_a_second_one_soon_after_does_and_it_heals_by_itself(built: Built) -> None:
    assert built.findings == []
    stranger(built)
    assert built.alerting.confirm <= look(built) <= 2 * built.alerting.confirm
    [seen] = sightings(built)
    assert (seen.code, seen.key, seen.confirmed) == (CODE, f"{CODE} {EDGE}", False)
    built.now += built.alerting.confirm
    assert look(built) >= built.renewing.blocked_recheck
    [seen] = sightings(built)
    assert seen.confirmed
    assert seen.deadline <= built.now  # visitors are warned now
    assert built.state() is State.INSTALLED
    built.edge.says.clear()
    look(built)
    assert built.findings == []
    assert sightings(built) == []


def test_status_says_so_and_history_has_it_once(built: Built) -> None:
    stranger(built)
    for _ in range(3):
        look(built)
        built.now += HOUR
    told = describe(built.desk, NAME, visible=EVERY)
    assert told.label.plain() == "Installed, but the edge does not serve it"
    assert [f.code for f in told.findings] == [CODE]
    assert len([one for one in built.happened("checked") if "self-signed" in str(one.details)]) == 1


def test_nothing_moves_for_it(built: Built) -> None:
    before = built.one
    stranger(built)
    look(built)
    after = built.one
    assert (after.state, after.run_after, after.renew_at, after.fence) == (
        before.state,
        before.run_after,
        before.renew_at,
        before.fence,
    )


def test_a_renewal_goes_on_and_what_was_seen_stands_until_another_one_is_installed(built: Built) -> None:
    stranger(built)
    look(built)
    with_it: list[bool] = []
    built.renew(NAME)
    for _ in range(40):
        if not built.work():
            break
        with_it.append(any(f.code == CODE for f in built.findings))
    built.edge.says.clear()
    built.settle()
    assert len(built.revisions) == 2
    assert any(with_it)
    assert [f.code for f in built.findings] == []


@pytest.mark.parametrize("state", [State.FAILED, State.BLOCKED, State.NEEDS_SUPPORT])
def test_what_cannot_be_renewed_is_looked_at_too(built: Built, state: State) -> None:
    blocked = replace(finding("dns.not_hosted", NAME), checked_at=built.now)
    built.checker.says[NAME] = (blocked,)
    look(built)
    built.change(state=state, problem=blocked, run_after=built.now + HOUR, stopped_at=State.CHECKING)
    stranger(built)
    look(built)
    assert {f.code for f in built.findings} == {"dns.not_hosted", CODE}


def test_what_a_step_looks_at_every_minute_is_left_to_it(built: Built) -> None:
    built.edge.stale = True
    built.renew(NAME)
    built.settle()
    assert built.one.problem is not None
    assert built.one.problem.code == CODE
    asked = len(built.edge.asked)
    look(built)
    assert len(built.edge.asked) == asked


def test_names_that_are_not_wanted_any_more_are_nobodys_concern(built: Built) -> None:
    built.change(wanted=(OTHER,))
    asked = len(built.edge.asked)
    look(built)
    assert NAME not in built.edge.asked[asked:]


def test_it_is_critical_only_when_visitors_are_warned(built: Built) -> None:
    built.edge.says[NAME] = served("ff", not_after=built.now + 80 * DAY)
    look(built)
    calm = of_members(sightings(built), wide=True, policy=built.alerting, now=built.now)
    stranger(built)
    look(built)
    grave = of_members(sightings(built), wide=True, policy=built.alerting, now=built.now)
    assert (calm, grave) == (Severity.WARNING, Severity.CRITICAL)
