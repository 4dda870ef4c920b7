"""The hand-over to support: everything known in one message, the time line in its thread, green when it is solved."""

from datetime import timedelta
from typing import Any

import pytest

from commands import messages
from commands.dispatch import dispatch
from commands.happening_words import WORDS
from commands.progressing import progress
from commands.reply import Composed, Fields, Hint, Paragraph, Plan, Problem, Tone
from services.model.certificates import Attempt, Certificate, Happening
from services.model.lifecycle import State
from services.model.text import say, to_json
from tests.desks import NOW, SUPPORT, Bench, finding
from tests.unit.commands_world import DAY, clickable, desk_of, make_bench, only, owed


@pytest.fixture
def bench() -> Bench:
    made = make_bench()
    dispatch("add shop.moon.test www.moon.test", SUPPORT, made.desk)
    return made


def hand_over(bench: Bench, **changes: Any) -> Certificate:
    """Let the certificate fail three times and need support."""
    found = finding("ca.unauthorized", "www.moon.test")
    wrong = finding("dns.wrong_ipv6", "www.moon.test")
    held: dict[str, Any] = {
        "state": State.NEEDS_SUPPORT,
        "problem": found,
        "failures": 3,
        "strikes": 3,
        "run_after": None,
        "stopped_at": State.VALIDATING,
        "attempt": Attempt(ca="letsencrypt"),
        "compared": say("CAA is right now; AAAA still leads elsewhere."),
    }
    certificate = bench.change("shop.moon.test", [wrong], **(held | changes))
    with bench.storage.write() as tx:
        for number in range(4):
            at = NOW + timedelta(hours=number)
            tx.certificates.record(
                Happening(certificate.id, at, "attempt_failed", details=f"the CA's words {number}")
            )
    return certificate


def composed(bench: Bench, kind: str = "handover", **body: Any) -> Composed:
    [certificate] = bench.certificates()
    return messages.compose(desk_of(bench), owed(kind, {"certificate": certificate.id, **body}))


def said(shown: Composed) -> list[str]:
    return [part.text.plain() for part in shown.reply.parts if isinstance(part, Paragraph | Hint)]


def test_support_is_told_everything_that_is_known(bench: Bench) -> None:
    certificate = hand_over(bench)
    shown = composed(bench)
    assert not shown.final
    assert shown.reply.tone is Tone.BAD
    assert shown.reply.title.plain() == "Needs a support agent: the certificate for shop.moon.test (+1)"
    assert [part.code for part in only(shown.reply, Problem)] == ["ca.unauthorized", "dns.wrong_ipv6"]
    assert said(shown)[0].startswith("3 attempts in a row have failed for a reason that certdesk cannot mend")
    assert "CAA is right now; AAAA still leads elsewhere." in said(shown)
    known, attempts = only(shown.reply, Fields)
    assert {str(label): str(value) for label, value in known.pairs} == {
        "Store": "moon",
        "Names": "shop.moon.test, www.moon.test",
        "Failed attempts in a row": "3",
        "Asked last": "letsencrypt",
        "Installed now": "nothing",
    }
    assert [value for _, value in attempts.pairs] == [f"the CA's words {number}" for number in (1, 2, 3)]
    assert {action: getattr(item, "value", "") for action, item in clickable(shown.reply).items()} == {
        "certificate.retry": certificate.id,
        "certificate.check": certificate.id,
        "certificate.copy": certificate.id,
    }


@pytest.mark.parametrize("reason", ["the merchant asked for it", to_json(say("the merchant asked for it"))])
def test_a_reason_that_was_given_is_said(bench: Bench, reason: Any) -> None:
    hand_over(bench)
    assert said(composed(bench, reason=reason))[0] == "the merchant asked for it"


def test_the_margin_of_what_is_installed_is_said(bench: Bench) -> None:
    bench.install("shop.moon.test")
    hand_over(bench, attempt=Attempt())
    known = dict(only(composed(bench).reply, Fields)[0].pairs)
    assert str(known[say("Installed now")]) == "90 days left: 2027-05-11 14:03 UTC"
    assert say("Asked last") not in known


def test_while_it_is_tried_again_the_steps_are_shown(bench: Bench) -> None:
    hand_over(bench, state=State.ORDERING, run_after=NOW)
    shown = composed(bench)
    assert not shown.final
    assert shown.reply.tone is Tone.PROGRESS
    assert shown.reply.title.plain() == "Trying again for shop.moon.test (+1)"
    assert only(shown.reply, Plan)
    assert not clickable(shown.reply)


def test_an_attempt_that_failed_again_is_said(bench: Bench) -> None:
    hand_over(bench, state=State.FAILED, run_after=NOW + DAY)
    assert said(composed(bench))[0].startswith("certdesk has tried again, and it has not worked out yet.")


def test_the_message_turns_green_and_is_final_once_all_is_installed(bench: Bench) -> None:
    hand_over(bench)
    bench.install("shop.moon.test", problem=None)
    shown = composed(bench)
    assert shown.final
    assert shown.reply.tone is Tone.GOOD
    assert shown.reply.title.plain() == (
        "Solved: the certificate for shop.moon.test (+1) is installed; nothing to do"
    )
    assert not clickable(shown.reply)


def test_a_certificate_without_some_names_is_solved_in_part(bench: Bench) -> None:
    hand_over(bench)
    bench.install("shop.moon.test", "shop.moon.test", problem=None)
    shown = composed(bench)
    assert not shown.final
    assert shown.reply.tone is Tone.WARN
    assert shown.reply.title.plain().startswith("Solved in part: ")
    assert set(clickable(shown.reply)) == {"certificate.retry", "certificate.check", "certificate.copy"}


@pytest.mark.parametrize("kind", ["handover", "timeline"])
def test_a_certificate_that_is_not_there_any_more_ends_its_messages(bench: Bench, kind: str) -> None:
    shown = messages.compose(desk_of(bench), owed(kind, {"certificate": "cert_9"}))
    assert shown.final
    assert shown.reply.title.plain() == "certdesk no longer knows this certificate"


def test_the_time_line_has_everything_with_order_addresses_and_persons(bench: Bench) -> None:
    certificate = hand_over(bench)
    with bench.storage.write() as tx:
        tx.certificates.record(
            Happening(certificate.id, NOW, "order_placed", details="letsencrypt https://ca.test/order/7")
        )
    shown = composed(bench, "timeline")
    assert shown.final
    assert shown.reply.title.plain() == "What has happened to shop.moon.test"
    [fields] = only(shown.reply, Fields)
    lines = [str(value) for _, value in fields.pairs]
    assert "Name added: shop.moon.test, www.moon.test (by U_SUPPORT)" in lines
    assert "Order placed at the CA: letsencrypt https://ca.test/order/7" in lines
    assert lines.count("Attempt failed: the CA's words 3") == 1


def test_a_failed_attempt_without_details_still_counts(bench: Bench) -> None:
    certificate = bench.change("shop.moon.test", state=State.NEEDS_SUPPORT, run_after=None)
    assert len(only(composed(bench).reply, Fields)) == 1
    with bench.storage.write() as tx:
        tx.certificates.record(Happening(certificate.id, NOW, "attempt_failed"))
    assert str(only(composed(bench).reply, Fields)[1].pairs[0][1]) == "Attempt failed"


def test_what_the_watch_and_the_budgets_write_has_words() -> None:
    assert {
        "evidence",
        "checked",
        "told",
        "alert_acknowledged",
        "alert_snoozed",
        "alert_handed_over",
        "alerted",
        "cleared",
        "postponed",
    } <= set(WORDS)


@pytest.mark.parametrize("state", [State.BLOCKED, State.FAILED, State.NEEDS_SUPPORT])
def test_a_retry_that_failed_shows_the_difference_in_the_status_and_in_what_is_followed(
    bench: Bench, state: State
) -> None:
    certificate = hand_over(bench, state=state, run_after=NOW + DAY)
    difference = "CAA is right now; AAAA still leads elsewhere."
    status = dispatch("status shop.moon.test", SUPPORT, bench.desk).reply
    followed = progress(bench.desk, "renew", certificate.wanted, (certificate.id,)).reply
    for reply in (status, followed):
        assert difference in [part.text.plain() for part in only(reply, Paragraph)]
    bench.change("shop.moon.test", state=State.ORDERING)
    assert difference not in str(dispatch("status shop.moon.test", SUPPORT, bench.desk).reply)
