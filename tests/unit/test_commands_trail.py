"""The audit trail in a name's history: for the platform's people all of it, for merchants what was done to what is theirs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from commands import proposables
from commands.audit import MOST, deed
from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from commands.reply import Fields
from commands.requests import typed
from commands.trail_words import line
from services import approvals
from services.bulk import steps
from services.issuance.csr import make_csr, new_key
from services.model.audit import Entry, breaks
from services.model.deeds import BULK_ADD, BULK_RENEW, YES, Behind, asked_by, behind, decided_on, in_bulk
from services.model.settings import Approving
from tests.desks import MOON, SUPPORT, Bench
from tests.desks import NOW as SAID_AT
from tests.unit.approval_world import ask, click, proposal
from tests.unit.commands_world import desk_of, make_bench, only

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


def lines(bench: Bench, caller: Caller = SUPPORT, name: str = NAME) -> list[str]:
    """Return what people read, without the moments."""
    reply = dispatch(f"history {name}", caller, desk_of(bench)).reply
    drawn = render(reply)
    assert not violations(drawn.text, drawn.blocks)
    return [str(line) for part in only(reply, Fields) for _, line in part.pairs]


def deeds(bench: Bench, caller: Caller = SUPPORT, name: str = NAME) -> list[str]:
    """Return what people read of the trail: what follows the certificate's own rows, all of an earlier moment."""
    own = {"Name added", "Asked for by a person", "Checks passed"}
    return [
        line for line in lines(bench, caller, name) if line.partition(":")[0].partition(" (")[0] not in own
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
    assert "Done: /ssl copy (by U_SUPPORT)" in lines(bench)


# --- what waits for a yes ------------------------------------------------------------------------------------------

SECOND = Caller("T1/U_SECOND", Role.SUPPORT, None)
KNOWN = {one.person: one for one in (SUPPORT, SECOND, MOON)}
SUN = Caller("T1/U_SUN", Role.MERCHANT, frozenset({"sun"}))
OTHER_MOON = Caller("T1/U_MOON2", Role.MERCHANT, frozenset({"moon"}))
KEY = new_key("ec-p256")
REVOKE = f"revoke {NAME} --reason superseded"


def known(person: str, _workspace: str = "") -> Caller:
    return KNOWN.get(person, Caller(person, Role.NOBODY))


def revocable(bench: Bench) -> Bench:
    bench.install(NAME, NAME, serial="0a1b2c")
    with bench.storage.write() as tx:
        revision = tx.certificates.revision("rev_0a1b2c")
        assert revision is not None
        chain = "-----BEGIN CERTIFICATE-----"
        issued = replace(
            revision, chain=chain, serial="0a1b2c", csr=make_csr(revision.names, KEY), ca="pebble"
        )
        tx.certificates.put_revision(
            replace(issued, not_before=bench.now, not_after=bench.now + timedelta(days=90))
        )
    return bench


def test_a_request_and_who_approved_it_are_told(bench: Bench) -> None:
    asked = ask(revocable(bench), REVOKE, SUPPORT)
    assert deeds(bench)[1:] == ["Asked for: /ssl revoke (by U_SUPPORT)"]
    bench.now += timedelta(minutes=1)
    assert click(bench, "approval.approve", asked, SECOND, known=known) is None
    assert [one for one in deeds(bench)[2:] if "/ssl" in one] == [
        "Approved: /ssl revoke (by U_SECOND, asked for by U_SUPPORT)",
        "Done: /ssl revoke (asked for by U_SUPPORT, approved by U_SECOND)",
    ]
    assert ("audit_asked", SUPPORT.person, f"revoke ({asked})") in rows(bench)


def test_a_request_that_was_rejected_taken_back_or_ran_out_is_told(bench: Bench) -> None:
    first, second, _ = (ask(revocable(bench), REVOKE, SUPPORT) for _ in range(3))
    assert click(bench, "approval.reject", first, SECOND, known=known) is None
    assert click(bench, "approval.reject", second, SUPPORT, known=known) is None
    bench.now = proposal(bench, first).expires
    assert approvals.expire(bench.desk, proposables.subject) == 1
    assert deeds(bench)[-3:] == [
        "Rejected: /ssl revoke (by U_SECOND, asked for by U_SUPPORT)",
        "Taken back: /ssl revoke (by U_SUPPORT)",
        "Not approved in time: /ssl revoke (asked for by U_SUPPORT)",
    ]


def test_a_merchant_is_told_what_became_of_their_own_request_and_of_nobody_elses(bench: Bench) -> None:
    theirs = ask(revocable(bench), REVOKE, MOON)
    assert click(bench, "approval.reject", theirs, SECOND, known=known) is None
    ask(bench, REVOKE, SUPPORT)
    assert deeds(bench, MOON) == [
        "Asked for: /ssl revoke (by U_MOON)",
        "Rejected: /ssl revoke (by support, asked for by U_MOON)",
    ]
    assert deeds(bench, OTHER_MOON) == []
    assert "U_SECOND" not in str(dispatch(f"history {NAME}", MOON, desk_of(bench)))


def test_in_a_terminal_persons_are_told_with_their_workspace(bench: Bench) -> None:
    ask(revocable(bench), REVOKE, SUPPORT)
    assert "Asked for: /ssl revoke (by T1/U_SUPPORT)" in lines(bench, TERMINAL)


def test_persons_are_named_as_slack_does(bench: Bench) -> None:
    audit(
        bench,
        actor="T1/U0AGENT",
        action="approval.yes",
        subject=f"prop_1 renew {NAME}",
        reason="asked by T1/U0MERCH",
    )
    reply = dispatch(f"history {NAME}", SUPPORT, desk_of(bench)).reply
    drawn = str(render(reply).blocks)
    assert "Approved: `/ssl renew` (by <@U0AGENT>, asked for by <@U0MERCH>)" in drawn
    assert "approval.yes" not in drawn


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"action": "store.copy"}, "Done: Copy to merchant (by U_SUPPORT)"),
        ({"action": "add many", "result": "asked"}, "Asked for: /ssl add (by U_SUPPORT)"),
        (
            {"action": "approval.no", "subject": f"prop_1 renew many {NAME}", "reason": "asked by T1/U2"},
            "Rejected: /ssl renew (by U_SUPPORT, asked for by U2)",
        ),
        (
            {"action": "renew --cause", "reason": "approved by T1/U2: prop_1"},
            "Done: /ssl renew --cause (asked for by U_SUPPORT, approved by U2)",
        ),
        (
            {"action": "remove", "reason": "approved by T1/U_SUPPORT: prop_1"},
            "Done: /ssl remove (by U_SUPPORT)",
        ),
        (
            {"action": "renew", "result": "refused", "reason": "approved by T1/U2: prop_1"},
            "Refused, for want of a right: /ssl renew (by U_SUPPORT)",
        ),
        (
            {"action": "renew", "result": "failed", "reason": "approved by T1/U2: prop_1"},
            "Tried without success: /ssl renew (by U_SUPPORT): approved by T1/U2: prop_1",
        ),
        ({"action": "of.tomorrow"}, "Done: of.tomorrow (by U_SUPPORT)"),
        ({"result": "of tomorrow"}, "/ssl copy (by U_SUPPORT)"),
    ],
)
def test_each_row_has_words(changes: dict[str, Any], told: str) -> None:
    row = replace(Entry(SAID_AT, "T1/U_SUPPORT", "support", "copy", NAME, "done"), **changes)
    assert line(row, SUPPORT).plain() == told


# --- in bulk -------------------------------------------------------------------------------------------------------


def begun(bench: Bench) -> None:
    """Do the step of a job that is due."""
    with bench.storage.write() as tx:
        [job] = tx.jobs.claim(bench.now, timedelta(seconds=30), 1)
    steps.step(desk_of(bench), job)


def two(bench: Bench) -> Any:
    """Return a desk where one person may not renew two, and install two certificates of two stores."""
    bench.store("moon", "a.moon2.test")
    dispatch("add a.moon2.test", SUPPORT, bench.desk)
    for name in (NAME, "a.moon2.test"):
        bench.install(name, serial="0a", problem=None)
    return replace(desk_of(bench), approving=Approving(alone=1))


def test_a_renewal_in_bulk_names_who_asked_and_who_approved(bench: Bench) -> None:
    desk = two(bench)
    asked = ask(bench, f"renew {NAME} a.moon2.test", SUPPORT, desk)
    assert click(bench, "approval.approve", asked, SECOND, desk, known=known) is None
    begun(bench)
    told = "Renewal begun in bulk (asked for by U_SUPPORT, approved by U_SECOND)"
    job = asked.replace("prop_", "job_")
    for name in (NAME, "a.moon2.test"):
        assert lines(bench, name=name).count(told) == 1
        reason = f"{job}: asked by {SUPPORT.person}, approved by {SECOND.person}"
        with bench.storage.read() as tx:
            [row] = [one for one in tx.audit.about((bench.certificate(name).id,)) if one.action == BULK_RENEW]
        assert (row.actor, row.role, row.result, row.reason) == (SUPPORT.person, "support", "done", reason)
        assert row.subject == f"{name} {bench.certificate(name).id}"
    bench.now += timedelta(seconds=10)
    begun(bench)  # it is not told again as it goes on
    assert lines(bench).count(told) == 1
    assert "Renewal begun in bulk (asked for by support, approved by support)" in lines(bench, MOON)
    assert job not in str(dispatch(f"history {NAME}", MOON, desk_of(bench)))
    with bench.storage.read() as tx:
        assert list(breaks(tx.audit.entries())) == []


@pytest.mark.parametrize(
    ("action", "people", "told"),
    [
        (
            BULK_ADD,
            Behind("T1/U1", "T1/U2"),
            "Certificate begun in bulk (asked for by U1, approved by U2)",
        ),
        (BULK_ADD, Behind("T1/U1", "T1/U1"), "Certificate begun in bulk (asked for by U1)"),
        (BULK_RENEW, Behind("terminal"), "Renewal begun in bulk (asked for by terminal)"),
    ],
)
def test_each_item_of_a_job_has_words(action: str, people: Behind, told: str) -> None:
    row = Entry(SAID_AT, "T1/U1", "support", action, NAME, "done", in_bulk("job_1", people))
    assert behind(row) == people
    assert line(row, SUPPORT).plain() == told
    failed = replace(row, result="failed", reason=in_bulk("job_1", people, "policy.too_many_names"))
    assert behind(failed) == people
    assert line(failed, SUPPORT).plain().startswith("Could not be begun in bulk")


@pytest.mark.parametrize("action", proposables.PROPOSABLES)
def test_of_every_decision_it_is_told_what_was_decided_on(action: str) -> None:
    row = Entry(
        SAID_AT, "T1/U1", "support", YES, decided_on("prop_1", action, NAME), "done", asked_by("T1/U1")
    )
    typed = action.removesuffix(" many")
    assert line(row, SUPPORT).plain() == f"Confirmed: /ssl {typed} (by U1)"


# --- what is kept --------------------------------------------------------------------------------------------------


def test_a_long_subject_is_cut_between_words() -> None:
    """By a part of a name the row would be found for another one."""
    names = " ".join(f"shop{number}.moon.test" for number in range(1000))
    kept = deed(None, "add", names).subject
    assert len(kept) <= MOST
    assert names.startswith(f"{kept} ")
    assert deed(None, "add", names[: MOST + 1]).subject.split(" ")[-1].endswith(".test")
    assert deed(None, "add", "x" * 5000).subject == "x" * MOST
