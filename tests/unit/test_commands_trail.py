"""The audit trail in a name's history: for the platform's people all of it, for merchants what was done to what is theirs."""

from datetime import timedelta
from typing import Any

import pytest

from commands.caller import Caller, Role
from commands.dispatch import dispatch
from commands.requests import typed
from services.model.audit import Entry
from tests.desks import MOON, SUPPORT, Bench
from tests.unit.commands_world import desk_of, make_bench

NAME = "shop.moon.test"


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    audit(made, action="check", subject=NAME, actor="T9/U_BEFORE", reason="of another store then")
    made.now += timedelta(minutes=1)
    typed(desk_of(made), ["add", NAME], SUPPORT)
    made.now += timedelta(minutes=1)
    return made


def audit(bench: Bench, **changes: Any) -> None:
    held: dict[str, Any] = {
        "at": bench.now,
        "actor": "T1/U_SUPPORT",
        "role": "support",
        "action": "copy",
        "subject": NAME,
        "result": "done",
    }
    with bench.storage.write() as tx:
        tx.audit.append(Entry(**(held | changes)))


def rows(bench: Bench, caller: Caller = SUPPORT) -> list[tuple[str, str, str]]:
    data = dispatch(f"history {NAME}", caller, desk_of(bench)).data
    assert data is not None
    return [
        (row["what"], row["actor"], row["details"])
        for row in data["history"]
        if row["what"].startswith("audit")
    ]


def test_what_stands_in_the_history_already_is_not_told_twice(bench: Bench) -> None:
    assert rows(bench) == [("audit_done", "T9/U_BEFORE", "check (of another store then)")]


def test_staff_are_told_of_everything_with_its_reason(bench: Bench) -> None:
    audit(bench)
    audit(bench, action="revoke", subject=f"sun.test {NAME}", result="failed", reason="sun.test is not known")
    audit(bench, action="renew", actor="T9/U_SUN", result="refused", reason="You may not do this")
    audit(bench, subject="sun.test")
    assert rows(bench)[1:] == [
        ("audit_done", "T1/U_SUPPORT", "copy"),
        ("audit_failed", "T1/U_SUPPORT", "revoke (sun.test is not known)"),
        ("audit_refused", "T9/U_SUN", "renew (You may not do this)"),
    ]


def test_a_merchant_is_told_what_was_done_to_theirs_and_by_nobodys_name(bench: Bench) -> None:
    audit(bench, subject=f"sun.test {NAME}", reason="for sun.test")
    audit(bench, action="revoke", result="failed", reason="sun.test is not known")
    audit(bench, action="renew", actor="T9/U_SUN", result="refused", reason="You may not do this")
    audit(bench, action="renew", actor=MOON.person, role="merchant", result="failed", reason="held")
    assert rows(bench, MOON) == [("audit_done", "support", "copy"), ("audit_failed", MOON.person, "renew")]
    told = str(dispatch(f"history {NAME}", MOON, desk_of(bench)))
    assert "sun" not in told.lower().replace("sunday", "")
    assert "U_SUPPORT" not in told


def test_what_happened_before_a_name_was_theirs_is_not_a_merchants_business(bench: Bench) -> None:
    assert rows(bench, MOON) == []


def test_of_a_certificate_by_its_id(bench: Bench) -> None:
    audit(bench, subject=bench.certificate(NAME).id)
    assert rows(bench)[-1] == ("audit_done", "T1/U_SUPPORT", "copy")


def test_it_is_told_in_order(bench: Bench) -> None:
    audit(bench)
    outcome = dispatch(f"history {NAME}", Caller("T1/U_ADMIN", Role.ADMIN, None), desk_of(bench))
    assert outcome.data is not None
    moments = [row["at"] for row in outcome.data["history"]]
    assert moments == sorted(moments)
    assert "Done by a person" in str(outcome.reply)
