"""What a followed answer shows in each state, and when it is final."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from commands.following import Followed
from commands.progress import PLAN, plan, view
from commands.reply import Fields, Hint, Mark, Paragraph, Plan, Problem, Refused, Reply, Rows, Tone
from commands.views import problem
from services.model.certificates import Attempt, Certificate
from services.model.lifecycle import RESTING, State
from tests.desks import NOW, finding

DUE = NOW + timedelta(hours=2)
NAME = "shop.moon.test"


def certificate(state: State = State.CHECKING, *names: str, **changes: Any) -> Certificate:
    made = Certificate("cert_1", "moon", "moon.test", names or (NAME,), NOW, NOW, state=state)
    return replace(made, **changes)


def installed(*names: str, **changes: Any) -> Certificate:
    values = {"serial": "0a", "not_after": NOW + timedelta(days=90), "renew_at": NOW + timedelta(days=60)}
    return certificate(State.INSTALLED, *names, **(values | changes))


def followed(one: Certificate, *covered: str, names: tuple[str, ...] = (), findings: Any = ()) -> Followed:
    return Followed(one, names or one.wanted, frozenset(covered), tuple(findings))


def said(reply: Reply) -> str:
    return " ".join(part.text.plain() for part in reply.parts if isinstance(part, Paragraph | Hint))


def kinds(reply: Reply) -> list[str]:
    return [type(part).__name__ for part in reply.parts]


def codes(reply: Reply) -> list[str]:
    return [part.code for part in reply.parts if isinstance(part, Problem)]


# --- the plan ------------------------------------------------------------------------------------------------------


def test_the_plan_has_seven_steps_and_a_place_for_every_state_under_way() -> None:
    assert [label.plain() for label, _ in PLAN] == [
        "check",
        "CSR",
        "order",
        "challenge",
        "issue",
        "deploy",
        "verified",
    ]
    placed = [state for _, states in PLAN for state in states]
    assert sorted(placed) == sorted(set(State) - RESTING)


@pytest.mark.parametrize("state", sorted(set(State) - RESTING))
def test_under_way_one_step_is_now_with_those_before_it_done(state: State) -> None:
    marks = [mark for _, mark in plan(certificate(state), NAME).steps]
    here = marks.index(Mark.NOW)
    assert marks == [Mark.DONE] * here + [Mark.NOW] + [Mark.NEXT] * (6 - here)
    assert state in PLAN[here][1]


@pytest.mark.parametrize("state", sorted(RESTING - {State.INSTALLED}))
@pytest.mark.parametrize(("stopped", "here"), [(None, 0), (State.VALIDATING, 3), (State.DEPLOYING, 5)])
def test_at_rest_the_plan_shows_where_it_stopped(state: State, stopped: State | None, here: int) -> None:
    marks = [mark for _, mark in plan(certificate(state, stopped_at=stopped), NAME).steps]
    assert marks == [Mark.DONE] * here + [Mark.STOPPED] + [Mark.NEXT] * (6 - here)


# --- one certificate -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "title"), [("add", "Getting a certificate for"), ("renew", "Renewing the certificate for")]
)
def test_under_way(verb: str, title: str) -> None:
    one = followed(certificate(State.ORDERING))
    reply = view(verb, [one])
    assert (reply.tone, reply.title.plain()) == (Tone.PROGRESS, f"{title} {NAME}")
    assert kinds(reply) == ["Plan"]
    assert not one.done


def test_a_step_that_is_repeated_says_why() -> None:
    fault = finding("deploy.failed", NAME)
    stuck = certificate(State.DEPLOYING, attempt=Attempt(faults=2), problem=fault)
    reply = view("add", [followed(stuck)])
    assert codes(reply) == ["deploy.failed"]
    assert "repeats this step by itself" in said(reply)
    assert kinds(view("add", [followed(replace(stuck, attempt=Attempt()))])) == ["Plan"]


@pytest.mark.parametrize(("verb", "title"), [("add", "is installed"), ("renew", "is renewed and installed")])
def test_installed_names_serial_expiry_and_renewal(verb: str, title: str) -> None:
    one = followed(installed(), NAME)
    reply = view(verb, [one])
    assert (reply.tone, reply.title.plain()) == (Tone.GOOD, f"Certificate for {NAME} {title}")
    [fields] = [part for part in reply.parts if isinstance(part, Fields)]
    assert [value for _, value in fields.pairs] == [
        NAME,
        "0a",
        NOW + timedelta(days=90),
        NOW + timedelta(days=60),
    ]
    assert one.done


def test_installed_without_facts_says_that_they_are_not_known_yet() -> None:
    reply = view("add", [followed(certificate(State.INSTALLED), NAME)])
    [fields] = [part for part in reply.parts if isinstance(part, Fields)]
    assert [str(value) for _, value in fields.pairs] == [NAME] + ["not known yet"] * 3


def test_installed_without_some_names_says_why_and_goes_on() -> None:
    why = finding("dns.not_hosted", "www.moon.test")
    one = followed(
        installed(NAME, "www.moon.test"), NAME, findings=[why, finding("dns.lame", "other.moon.test")]
    )
    reply = view("add", [one])
    assert (reply.tone, reply.title.plain()) == (
        Tone.WARN,
        f"Certificate for {NAME}, www.moon.test is installed without some names",
    )
    assert "does not have these names yet: www.moon.test" in said(reply)
    assert codes(reply) == ["dns.not_hosted"]
    assert not one.done


def test_what_is_wrong_with_a_sibling_does_not_keep_an_installed_name_open() -> None:
    refused = finding("ca.unauthorized", "www.moon.test")
    one = followed(installed(NAME, "www.moon.test", problem=refused), NAME, names=(NAME,))
    assert one.done
    assert codes(view("add", [one])) == []


def test_installed_but_not_served_is_not_final() -> None:
    one = followed(installed(problem=finding("deploy.not_served", NAME)), NAME)
    reply = view("renew", [one])
    assert reply.title.plain() == f"Certificate for {NAME} is installed but not seen at the edge yet"
    assert codes(reply) == ["deploy.not_served"]
    assert not one.done


def test_blocked_says_what_whose_move_and_when_it_is_checked_again() -> None:
    first, second = finding("dns.not_hosted", NAME), finding("dns.caa_forbids", NAME)
    one = certificate(State.BLOCKED, problem=first, run_after=DUE)
    reply = view("add", [followed(one, findings=[first, second])])
    assert (reply.tone, reply.title.plain()) == (Tone.WARN, f"Certificate for {NAME} has to wait")
    assert codes(reply) == ["dns.not_hosted", "dns.caa_forbids"]
    assert "checks again at 2027-02-10 16:03 UTC and goes on by itself" in said(reply)
    assert f"/ssl renew {NAME}" in said(reply)
    assert "stays in use" not in said(reply)


def test_a_blocked_renewal_says_what_stays_in_use() -> None:
    one = certificate(State.BLOCKED, not_after=DUE)
    assert "stays in use; it is valid until 2027-02-10 16:03 UTC" in said(
        view("renew", [followed(one, NAME)])
    )


@pytest.mark.parametrize(
    ("retry", "run", "when"),
    [(DUE, NOW, "at 2027-02-10 16:03"), (None, DUE, "at 2027-02-10 16:03"), (None, None, "")],
)
def test_failed_says_the_step_the_reason_the_failures_and_the_next_try(
    retry: Any, run: Any, when: str
) -> None:
    why = finding("ca.unauthorized", NAME)
    one = certificate(
        State.FAILED, stopped_at=State.VALIDATING, failures=2, problem=why, retry_at=retry, run_after=run
    )
    reply = view("add", [followed(one)])
    assert (reply.tone, reply.title.plain()) == (
        Tone.BAD,
        f"Certificate for {NAME} failed at this step: challenge",
    )
    assert "Failed attempts in a row: 2." in said(reply)
    assert when in said(reply)
    assert codes(reply) == ["ca.unauthorized"]


def test_needs_support_says_that_a_person_takes_over() -> None:
    one = certificate(State.NEEDS_SUPPORT, failures=3, problem=finding("ca.caa", NAME))
    reply = view("renew", [followed(one)])
    assert reply.title.plain() == f"Certificate for {NAME} needs a support agent"
    assert "After 3 failed attempts in a row certdesk has stopped trying" in said(reply)
    assert f"/ssl renew {NAME}" in said(reply)


# --- several -------------------------------------------------------------------------------------------------------


def several(count: int, **kinds_of: State) -> list[Followed]:
    made = []
    for number in range(count):
        name = f"n{number}.test"
        state = kinds_of.get(f"n{number}", State.INSTALLED)
        made.append(
            followed(replace(installed(name), state=state), *([name] if state is State.INSTALLED else []))
        )
    return made


def test_three_certificates_are_shown_in_full_each_with_its_ending() -> None:
    reply = view("add", several(3, n1=State.BLOCKED))
    assert reply.title.plain() == "2 of 3 names are installed"
    assert [part.name for part in reply.parts if isinstance(part, Plan)] == ["n0.test", "n1.test", "n2.test"]
    assert "Certificate for n1.test has to wait" in said(reply)
    assert reply.tone is Tone.WARN


def test_more_are_a_list_worst_first() -> None:
    some = several(5, n1=State.ORDERING, n2=State.FAILED, n3=State.BLOCKED)
    some[2] = replace(some[2], findings=(finding("ca.caa", "n2.test"),))
    reply = view("add", some)
    [rows] = [part for part in reply.parts if isinstance(part, Rows)]
    assert [(row.name, row.label.plain()) for row in rows.rows] == [
        ("n2.test", "failed"),
        ("n3.test", "waiting"),
        ("n1.test", "step: order"),
        ("n0.test", "installed"),
        ("n4.test", "installed"),
    ]
    assert rows.rows[0].detail.plain() == "n2.test: found ca.caa."
    assert rows.rows[1].detail.plain() == ""
    assert rows.rows[2].detail.plain() == ""
    assert rows.rows[3].detail.plain() == "valid until 2027-05-11 14:03 UTC"
    assert (reply.tone, reply.title.plain()) == (Tone.PROGRESS, "Under way: 2 of 5 names are installed")


def test_the_list_says_what_is_installed_in_part() -> None:
    some = [
        *several(4),
        followed(installed("a.test", "b.test"), "a.test"),
        followed(certificate(State.INSTALLED, "c.test"), "c.test"),
    ]
    [rows] = [part for part in view("add", some).parts if isinstance(part, Rows)]
    assert rows.rows[0].label.plain() == "installed in part"
    assert rows.rows[-1].detail.plain() == ""


def test_a_long_list_is_cut() -> None:
    reply = view("add", several(30))
    [rows] = [part for part in reply.parts if isinstance(part, Rows)]
    assert len(rows.rows) == 20
    assert "10 more are not shown here." in said(reply)
    assert reply.title.plain() == "30 of 30 names are installed"


def test_many_names_of_one_certificate_are_shortened() -> None:
    names = tuple(f"n{number}.moon.test" for number in range(40))
    reply = view("add", [followed(installed(*names), *names)])
    assert (
        reply.title.plain() == "Certificate for n0.moon.test, n1.moon.test, n2.moon.test (+37) is installed"
    )


REFUSED = Refused("a@b.test", problem(finding("domain.invalid", "a@b.test")))


def test_refused_names_come_first_and_count() -> None:
    reply = view("add", several(1), [REFUSED])
    assert (reply.tone, reply.title.plain()) == (Tone.WARN, "1 of 2 names are installed")
    assert kinds(reply)[0] == "Problem"


@pytest.mark.parametrize(
    ("verb", "title"),
    [("add", "No certificate is made for a@b.test"), ("renew", "There is nothing to renew for a@b.test")],
)
def test_where_nothing_was_taken_the_title_says_so(verb: str, title: str) -> None:
    assert view(verb, [], [REFUSED]).title.plain() == title
    assert view(verb, [], [REFUSED]).tone is Tone.WARN
