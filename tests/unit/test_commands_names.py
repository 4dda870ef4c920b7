"""What add, renew, status, check and history say of names in every state, for people and for machines."""

from datetime import timedelta
from typing import Any

import pytest

from commands.caller import TERMINAL, Caller
from commands.dispatch import dispatch
from commands.happening_words import WORDS
from commands.reply import Code, Fields, Hint, Mark, Outcome, Paragraph, Plan, Problem, Rows, Tone
from services.model.certificates import Happening
from services.model.findings import Verdict
from services.model.lifecycle import Event, State
from services.model.stores import StoreStatus
from storage.memory import MemoryStorage
from tests.desks import MOON, NOW, SUPPORT, Bench, finding

OBJECT = {"name", "store", "state", "label", "not_after", "serial", "targets", "next_attempt_at", "findings"}


@pytest.fixture
def bench() -> Bench:
    made = Bench(MemoryStorage())
    made.store("moon", "shop.moon.test", "www.moon.test", default="moon.shops.test")
    made.store("sun", "sun.test")
    return made


def run(bench: Bench, text: str, caller: Caller = SUPPORT) -> Outcome:
    return dispatch(text, caller, bench.desk)


def data(outcome: Outcome) -> dict[str, Any]:
    assert outcome.data is not None
    return dict(outcome.data)


def parts(outcome: Outcome, kind: type) -> list[Any]:
    return [part for part in outcome.reply.parts if isinstance(part, kind)]


def said(outcome: Outcome) -> str:
    return " ".join(part.text.plain() for kind in (Paragraph, Hint) for part in parts(outcome, kind))


# --- add and renew -------------------------------------------------------------------------------------------------


def test_add_accepts_what_can_be_accepted_says_the_rest_and_follows(bench: Bench) -> None:
    outcome = run(bench, "add shop.moon.test a@b.test sun.test moon.shops.test www.moon.test nobody.test")
    certificates = data(outcome)["certificates"]
    assert [one["name"] for one in certificates] == [
        "shop.moon.test",
        "a@b.test",
        "sun.test",
        "moon.shops.test",
        "www.moon.test",
        "nobody.test",
    ]
    assert all(set(one) == OBJECT for one in certificates)
    assert outcome.exit_code == 1
    assert [one.name for one in outcome.refused] == ["a@b.test", "moon.shops.test", "nobody.test"]
    assert outcome.names == ("shop.moon.test", "sun.test", "www.moon.test")
    assert set(outcome.follows) == {one.id for one in bench.certificates()}
    assert outcome.verb == "add"
    assert bench.certificate("shop.moon.test").wanted == ("shop.moon.test", "www.moon.test")
    assert outcome.reply.title.plain() == "Under way: 0 of 6 names are installed"
    assert [part.code for part in parts(outcome, Problem)] == [
        "domain.invalid",
        "domain.default",
        "domain.not_added",
    ]
    assert bench.woken == 1


def test_add_is_accepted_while_dns_is_not_right_yet_and_again_changes_nothing(bench: Bench) -> None:
    bench.checker.says["shop.moon.test"] = (finding("dns.not_hosted", "shop.moon.test"),)
    first = run(bench, "add shop.moon.test")
    bench.change("shop.moon.test", state=State.BLOCKED, run_after=NOW + timedelta(hours=2))
    before = bench.certificates()
    again = run(bench, "add shop.moon.test")
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.follows == again.follows
    assert bench.certificates() == before


def test_adding_what_is_installed_says_so(bench: Bench) -> None:
    run(bench, "add shop.moon.test")
    bench.install("shop.moon.test")
    outcome = run(bench, "add shop.moon.test")
    assert outcome.exit_code == 0
    assert outcome.reply.tone is Tone.GOOD
    assert outcome.reply.title.plain() == "shop.moon.test is installed already; nothing was changed"
    assert data(outcome)["certificates"][0]["serial"] == "0a1b2c"
    assert outcome.follows == ()
    assert run(bench, "add shop.moon.test www.moon.test").follows
    bench.install("shop.moon.test", serial="0d")
    again = run(bench, "add shop.moon.test www.moon.test")
    assert again.reply.title.plain() == "These 2 names are installed already; nothing was changed"


def test_what_was_mistyped_is_the_askers_own_move(bench: Bench) -> None:
    [problem] = parts(run(bench, "add shop_1.moon.test"), Problem)
    assert problem.owner.plain() == "yours"
    assert problem.remedy.plain() == (
        "Give the name that visitors type to reach the shop, such as shop.example.com."
    )
    [problem] = parts(run(bench, "add sun@sun.test"), Problem)
    assert problem.remedy.plain() == "Give the domain name alone, such as shop.example.com."
    [problem] = parts(run(bench, "add nobody.test"), Problem)
    assert problem.owner.plain() == "the merchant"


def test_refused_names_are_shown_in_part_when_there_are_many(bench: Bench) -> None:
    outcome = run(bench, "add " + " ".join(f"n{n}.nobody.test" for n in range(12)))
    assert outcome.reply.title.plain() == "None of these 12 names could be taken"
    assert len(parts(outcome, Problem)) == 5
    assert "7 more are not shown here." in said(outcome)
    assert len(data(outcome)["certificates"]) == 12
    assert outcome.follows == ()


def test_renew_starts_anew_and_joins_what_runs(bench: Bench) -> None:
    run(bench, "add shop.moon.test")
    bench.install("shop.moon.test", renew_at=bench.now)
    first = run(bench, "renew shop.moon.test", MOON)
    again = run(bench, "renew shop.moon.test", MOON)
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.verb == "renew"
    assert first.reply.title.plain() == "Renewing the certificate for shop.moon.test"
    with bench.storage.read() as tx:
        asked = [row for row in tx.certificates.history(first.follows[0]) if row.what == "asked"]
    assert [row.actor for row in asked] == [MOON.person]


def test_an_inactive_store_is_said_at_once_and_no_longer_once_it_is_active(bench: Bench) -> None:
    run(bench, "add shop.moon.test")
    bench.store("moon", status=StoreStatus.INACTIVE)
    inactive = finding("store.inactive", "shop.moon.test")
    bench.change("shop.moon.test", [inactive], state=State.BLOCKED, problem=inactive)
    assert [part.code for part in parts(run(bench, "renew shop.moon.test"), Problem)] == ["store.inactive"]
    bench.change("shop.moon.test", [inactive], state=State.BLOCKED, problem=inactive)
    bench.store("moon", status=StoreStatus.ACTIVE)
    outcome = run(bench, "renew shop.moon.test")
    assert outcome.reply.title.plain() == "Renewing the certificate for shop.moon.test"
    assert not parts(outcome, Problem)


def test_renewing_a_name_without_a_certificate_says_what_to_type(bench: Bench) -> None:
    outcome = run(bench, "renew shop.moon.test")
    [problem] = parts(outcome, Problem)
    assert outcome.exit_code == 1
    assert problem.summary.plain() == "There is no certificate for shop.moon.test yet."
    assert problem.remedy.plain() == "To get one, type: /ssl add shop.moon.test"
    [answered] = data(outcome)["certificates"]
    assert (answered["state"], answered["store"]) == ("none", "moon")
    [found] = answered["findings"]
    assert (found["code"], found["verdict"]) == (problem.code, "block") == ("domain.no_certificate", "block")
    assert (found["summary"], found["remedy"]) == (problem.summary.plain(), problem.remedy.plain())
    assert not bench.certificates()


# --- status --------------------------------------------------------------------------------------------------------


def test_status_of_an_installed_name_whose_renewal_is_in_danger_says_why_and_what_to_do(bench: Bench) -> None:
    run(bench, "add shop.moon.test www.moon.test")
    bench.install("shop.moon.test")
    bench.change("shop.moon.test", (finding("dns.caa_forbids", "shop.moon.test"),))
    outcome = run(bench, "status shop.moon.test")
    assert outcome.exit_code == 0
    assert outcome.reply.tone is Tone.WARN
    assert outcome.reply.title.plain() == "shop.moon.test: Installed, but cannot renew"
    assert [part.code for part in parts(outcome, Problem)] == ["dns.caa_forbids"]
    assert data(outcome)["state"] == "installed"
    # a sibling name is well
    assert run(bench, "status www.moon.test").reply.title.plain() == "www.moon.test: Installed"
    assert not parts(run(bench, "status www.moon.test"), Problem)


def test_status_of_an_installed_name(bench: Bench) -> None:
    run(bench, "add shop.moon.test www.moon.test")
    bench.install("shop.moon.test")
    outcome = run(bench, "status shop.moon.test")
    assert outcome.exit_code == 0
    assert outcome.reply.title.plain() == "shop.moon.test: Installed"
    [fields] = parts(outcome, Fields)
    assert {label.plain(): value for label, value in fields.pairs} == {
        "Store": "moon",
        "Names": "shop.moon.test, www.moon.test",
        "Serial number": "0a1b2c",
        "Valid until": NOW + timedelta(days=90),
        "Renews by itself": NOW + timedelta(days=60),
    }
    assert set(data(outcome)) == OBJECT
    assert data(outcome)["not_after"] == "2027-05-11T14:03:00Z"


def test_status_of_a_name_under_way_shows_the_step_and_what_stays_in_use(bench: Bench) -> None:
    run(bench, "add shop.moon.test")
    bench.install("shop.moon.test")
    bench.change("shop.moon.test", state=State.ORDERING)
    outcome = run(bench, "status shop.moon.test")
    [plan] = parts(outcome, Plan)
    assert [mark for _, mark in plan.steps] == [Mark.DONE, Mark.DONE, Mark.NOW] + [Mark.NEXT] * 4
    assert "stays in use; it is valid until 2027-05-11 14:03 UTC" in said(outcome)
    assert outcome.reply.tone is Tone.PROGRESS


def test_status_of_a_blocked_name_shows_its_own_findings_and_the_next_check(bench: Bench) -> None:
    run(bench, "add shop.moon.test www.moon.test")
    mine = finding("dns.not_hosted", "shop.moon.test")
    doubt = finding("domain.expiring", "shop.moon.test", Verdict.WARN)
    sibling = finding("dns.caa_forbids", "www.moon.test")
    due = NOW + timedelta(hours=2)
    bench.change("shop.moon.test", [mine, doubt, sibling], state=State.BLOCKED, problem=mine, run_after=due)
    outcome = run(bench, "status shop.moon.test")
    assert outcome.exit_code == 0
    assert [part.code for part in parts(outcome, Problem)] == ["dns.not_hosted", "domain.expiring"]
    assert "checks again at 2027-02-10 16:03 UTC" in said(outcome)
    assert "/ssl renew shop.moon.test" in said(outcome)
    assert [one["code"] for one in data(outcome)["findings"]] == ["dns.not_hosted", "domain.expiring"]


def test_status_of_a_name_of_ours_that_has_no_certificate(bench: Bench) -> None:
    outcome = run(bench, "status shop.moon.test")
    assert outcome.exit_code == 0
    assert outcome.reply.title.plain() == "shop.moon.test: No certificate yet"
    assert not parts(outcome, Problem)
    assert "To get one, type: /ssl add shop.moon.test" in said(outcome)
    assert data(outcome)["findings"] == []
    refused = run(bench, "status moon.shops.test")
    assert [part.code for part in parts(refused, Problem)] == ["domain.default"]
    assert refused.reply.tone is Tone.WARN


def test_status_with_csr_shows_the_one_of_the_newest_revision(bench: Bench) -> None:
    run(bench, "add shop.moon.test")
    without = run(bench, "status shop.moon.test --csr")
    assert "There is no CSR yet" in said(without)
    bench.install("shop.moon.test")
    outcome = run(bench, "status --csr shop.moon.test")
    assert [part.text for part in parts(outcome, Code)] == ["-----BEGIN CSR-----"]
    assert "CSR of 2027-02-10 14:03 UTC for shop.moon.test" in said(outcome)
    assert (data(without)["csr"], data(outcome)["csr"]) == (None, "-----BEGIN CSR-----")
    assert "csr" not in data(run(bench, "status shop.moon.test"))
    assert not parts(run(bench, "status shop.moon.test"), Code)
    assert "There is no CSR yet" in said(run(bench, "status www.moon.test --csr"))


def test_status_lists_names_worst_first(bench: Bench) -> None:
    run(bench, "add shop.moon.test sun.test www.moon.test")
    bench.install("sun.test")
    bench.change("shop.moon.test", [finding("dns.lame", "shop.moon.test")], state=State.BLOCKED)
    outcome = run(bench, "status")
    [rows] = parts(outcome, Rows)
    assert [(row.name, row.tone) for row in rows.rows] == [
        ("shop.moon.test", Tone.WARN),
        ("www.moon.test", Tone.WARN),
        ("sun.test", Tone.GOOD),
    ]
    assert rows.rows[0].detail.plain() == "shop.moon.test: found dns.lame."
    assert rows.rows[2].detail.plain() == "valid until 2027-05-11 14:03 UTC"
    assert outcome.reply.title.plain() == "Names of all stores, worst first: 3"
    assert run(bench, "status", MOON).reply.title.plain() == "Your names, worst first: 2"
    assert [one["name"] for one in data(outcome)["certificates"]] == [
        "shop.moon.test",
        "www.moon.test",
        "sun.test",
    ]


@pytest.mark.parametrize("text", ["status sun", "status --store sun"])
def test_status_of_a_store(bench: Bench, text: str) -> None:
    run(bench, "add shop.moon.test sun.test")
    outcome = run(bench, text)
    assert [one["name"] for one in data(outcome)["certificates"]] == ["sun.test"]
    assert outcome.reply.title.plain() == "Names of the store sun, worst first: 1"
    named = run(bench, "status sun.test --store sun")
    assert data(named)["name"] == "sun.test"


def test_status_of_nothing_says_how_to_begin(bench: Bench) -> None:
    everything, store = run(bench, "status"), run(bench, "status moon")
    assert (everything.exit_code, store.exit_code) == (0, 0)
    assert everything.reply.title.plain() == "There are no certificates yet"
    assert store.reply.title.plain() == "The store moon has no certificates yet"
    assert data(everything) == data(store) == {"certificates": []}
    assert "/ssl add shop.example.com" in said(everything)


def test_a_long_list_is_cut_for_people_and_whole_for_machines(bench: Bench) -> None:
    bench.store("big", *(f"n{n}.big{n}.test" for n in range(30)))
    dispatch(["add", *(f"n{n}.big{n}.test" for n in range(30))], TERMINAL, bench.desk)
    outcome = run(bench, "status big")
    assert len(parts(outcome, Rows)[0].rows) == 20
    assert "10 more are not shown here." in said(outcome)
    assert len(data(outcome)["certificates"]) == 30


def test_a_failed_name_shows_its_next_attempt_in_the_list(bench: Bench) -> None:
    run(bench, "add sun.test")
    bench.change("sun.test", state=State.FAILED, retry_at=NOW + timedelta(minutes=10))
    [rows] = parts(run(bench, "status"), Rows)
    assert rows.rows[0].detail.plain() == "next attempt 2027-02-10 14:13 UTC"
    assert rows.rows[0].tone is Tone.BAD


# --- check ---------------------------------------------------------------------------------------------------------

CHECKS = [
    ([], 0, Tone.GOOD, "All checks passed for shop.moon.test"),
    ([Verdict.WARN], 0, Tone.INFO, "Nothing blocks shop.moon.test; points to look at: 1"),
    ([Verdict.UNKNOWN, Verdict.WARN], 0, Tone.INFO, "Nothing blocks shop.moon.test; points to look at: 1"),
    ([Verdict.UNKNOWN], 0, Tone.GOOD, "Nothing blocks shop.moon.test; what could not be seen: 1"),
    ([Verdict.BLOCK], 1, Tone.WARN, "shop.moon.test is blocked: one thing is in the way"),
    (
        [Verdict.WARN, Verdict.BLOCK, Verdict.BLOCK],
        1,
        Tone.WARN,
        "shop.moon.test is blocked: 2 things are in the way",
    ),
]


@pytest.mark.parametrize(("verdicts", "code", "tone", "title"), CHECKS)
def test_check_says_what_was_found_and_exits_by_it(
    bench: Bench, verdicts: list[Verdict], code: int, tone: Tone, title: str
) -> None:
    kinds = ["dns.lame", "dns.caa_forbids", "dns.no_address"]
    found = tuple(finding(kind, "shop.moon.test", v) for kind, v in zip(kinds, verdicts, strict=False))
    bench.checker.says["shop.moon.test"] = found
    outcome = run(bench, "check shop.moon.test")
    assert (outcome.exit_code, outcome.reply.tone) == (code, tone)
    assert outcome.reply.title.plain() == title
    assert len(parts(outcome, Problem)) == len(verdicts)
    assert set(data(outcome)) == OBJECT
    assert len(data(outcome)["findings"]) == len(verdicts)
    assert ("/ssl add shop.moon.test" in said(outcome)) is (code == 0)
    assert not bench.certificates()


def test_check_of_an_installed_name_speaks_of_its_certificate_too(bench: Bench) -> None:
    run(bench, "add shop.moon.test")
    bench.install("shop.moon.test", problem=finding("deploy.not_served", "shop.moon.test"))
    before = bench.certificates()
    outcome = run(bench, "check shop.moon.test")
    assert [one["code"] for one in data(outcome)["findings"]] == ["deploy.not_served"]
    assert data(outcome)["serial"] == "0a1b2c"
    assert bench.certificates() == before


# --- history -------------------------------------------------------------------------------------------------------


def test_history_shows_who_did_what(bench: Bench) -> None:
    run(bench, "add shop.moon.test")
    run(bench, "add www.moon.test", MOON)
    certificate = bench.certificate("shop.moon.test")
    with bench.storage.write() as tx:
        order = "letsencrypt http-01 https://ca.test/order/7"
        tx.certificates.record(
            Happening(certificate.id, NOW, "order_placed", state="challenging", details=order)
        )
        tx.certificates.record(Happening(certificate.id, NOW, "something_new", "terminal"))
    outcome = run(bench, "history shop.moon.test")
    [fields] = parts(outcome, Fields)
    assert [(label.plain(), value.plain()) for label, value in fields.pairs] == [
        ("2027-02-10 14:03 UTC", "Name added: shop.moon.test (by U_SUPPORT)"),
        ("2027-02-10 14:03 UTC", "Name added: www.moon.test (by U_MOON)"),
        ("2027-02-10 14:03 UTC", f"Order placed at the CA: {order}"),
        ("2027-02-10 14:03 UTC", "something_new (by terminal)"),
    ]
    assert data(outcome)["history"][0] == {
        "at": "2027-02-10T14:03:00Z",
        "what": "added",
        "state": "checking",
        "actor": "T1/U_SUPPORT",
        "details": "shop.moon.test",
    }
    assert data(outcome)["history"][2]["details"] == order
    [elsewhere] = parts(run(bench, "history shop.moon.test", TERMINAL), Fields)
    assert "(by T1/U_SUPPORT)" in elsewhere.pairs[0][1].plain()
    merchants = data(run(bench, "history shop.moon.test", MOON))["history"]
    assert [row["actor"] for row in merchants] == ["support", "T1/U_MOON", "certdesk", "support"]
    assert merchants[2]["details"] == "letsencrypt http-01"
    assert "https://" not in said(run(bench, "history shop.moon.test", MOON))


def test_a_long_history_shows_its_end(bench: Bench) -> None:
    run(bench, "add shop.moon.test")
    certificate = bench.certificate("shop.moon.test")
    with bench.storage.write() as tx:
        for number in range(24):
            tx.certificates.record(Happening(certificate.id, NOW, "retry_due", details=str(number)))
    outcome = run(bench, "history shop.moon.test")
    assert "5 earlier lines are not shown." in said(outcome)
    assert parts(outcome, Fields)[0].pairs[-1][1].plain() == "Next attempt began: 23"
    assert len(data(outcome)["history"]) == 25


def test_a_name_without_a_certificate_has_no_history(bench: Bench) -> None:
    outcome = run(bench, "history shop.moon.test")
    assert outcome.exit_code == 0
    assert data(outcome) == {"name": "shop.moon.test", "store": "moon", "history": []}
    assert not parts(outcome, Problem)
    assert "Nothing yet: there is no certificate for shop.moon.test." in said(outcome)
    refused = run(bench, "history moon.shops.test")
    assert [part.code for part in parts(refused, Problem)] == ["domain.default"]


def test_every_event_of_the_lifecycle_has_words() -> None:
    assert {event.value for event in Event} <= set(WORDS)
