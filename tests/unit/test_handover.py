"""The third strike: support is told once, with a time line in the thread; and how each failure differs from the last."""

from datetime import timedelta

import pytest

from services.model.certificates import Certificate
from services.model.findings import CODES, Verdict
from services.model.lifecycle import State
from services.model.settings import Alerting
from services.model.text import NOTHING, from_json, to_json
from services.ports import Message
from services.renewal.compare import CLAUSES, difference, standing_of
from tests.building import Built
from tests.desks import finding

NAME, OTHER = "moon.test", "a.moon.test"
HOUR = timedelta(hours=1)


def struck(alerting: Alerting) -> Built:
    built = Built(names_of_cas=("first",), alerting=alerting)
    built.ca.banned = {NAME}
    built.add(NAME)
    built.advance(HOUR)
    assert built.state() is State.NEEDS_SUPPORT
    return built


def owed(built: Built) -> list[Message]:
    """Return what is owed to Slack about hand-overs; what is in a thread has to wait for its first message."""
    with built.storage.write() as tx:
        first = [m for m in tx.outbox.claim(built.now, HOUR, 100) if m.kind in ("handover", "timeline")]
        for message in first:
            tx.outbox.delivered(message, "1.0", final=False)
        rest = [m for m in tx.outbox.claim(built.now, HOUR, 100) if m.kind in ("handover", "timeline")]
    return sorted((*first, *rest), key=lambda m: (m.created_at, m.kind))


def test_support_is_told_once_with_the_time_line_in_the_thread() -> None:
    built = struck(Alerting(channel="C_ALERTS", support_channel="C_SUPPORT"))
    handover, timeline = owed(built)
    assert (handover.kind, timeline.kind) == ("handover", "timeline")
    assert handover.key.startswith(f"handover:{built.one.id}:")
    assert handover.channel == timeline.channel == "C_SUPPORT"
    assert handover.body == timeline.body == {"certificate": built.one.id}
    assert handover.follows == (built.one.id,)
    assert timeline.thread == handover.key
    assert timeline.follows == ()
    assert [row.what for row in built.history][-3:] == ["attempt_failed", "alerted", "handed_over"]


def test_each_hand_over_is_a_message_of_its_own() -> None:
    built = struck(Alerting(support_channel="C_SUPPORT"))
    first, _ = owed(built)
    built.renew(NAME)
    built.advance(3 * timedelta(days=1))
    assert built.state() is State.NEEDS_SUPPORT
    keys = {m.key for m in owed(built) if m.kind == "handover"}
    assert len(keys) == 2
    assert first.key in keys


def test_without_a_support_channel_the_alerts_channel_is_told_and_without_any_nobody() -> None:
    assert {m.channel for m in owed(struck(Alerting(channel="C_ALERTS")))} == {"C_ALERTS"}
    assert owed(struck(Alerting())) == []


# --- how failures differ


def test_nothing_is_compared_with_the_first_failure() -> None:
    assert difference((), (finding("ca.caa", NAME),)) == NOTHING


def test_what_is_right_what_is_still_wrong_and_what_is_new() -> None:
    before = standing_of((finding("dns.caa_forbids", NAME), finding("dns.wrong_ipv6", NAME, Verdict.WARN)))
    now = (finding("dns.wrong_ipv6", NAME), finding("access.forbidden", NAME))
    text = difference(before, now)
    assert text.plain() == (
        "Since the last try: CAA is right now; AAAA still leads elsewhere; new: the challenge path is forbidden."
    )
    assert from_json(to_json(text)) == text


def test_the_name_is_said_where_there_are_several() -> None:
    before = standing_of((finding("dns.caa_forbids", NAME), finding("dns.lame", OTHER)))
    text = difference(before, (finding("dns.lame", OTHER),))
    assert text.plain() == (
        "Since the last try: CAA is right now (moon.test); a name server still does not answer (a.moon.test)."
    )


def test_silence_is_no_sign_that_something_is_right() -> None:
    before = standing_of((finding("dns.caa_forbids", NAME),))
    assert difference(before, (finding("dns.servfail", NAME, Verdict.UNKNOWN),)) == NOTHING


@pytest.mark.parametrize("code", CODES)
def test_every_code_can_be_compared(code: str) -> None:
    one = finding(code, NAME)
    right, still, new = (
        difference(standing_of((one,)), ()).plain(),
        difference(standing_of((one,)), (one,)).plain(),
        difference(standing_of((finding("certdesk.fault", OTHER),)), (one,)).plain(),
    )
    assert len({right, still, new}) == 3
    assert "new: " in new
    assert " still " not in new.partition("new: ")[2]
    assert code in CLAUSES or CODES[code].meaning in still


def test_a_failing_retry_says_how_it_differs() -> None:
    built = Built(names_of_cas=("first",))
    warn = finding("dns.caa_forbids", NAME, Verdict.WARN), finding("dns.wrong_ipv6", NAME, Verdict.WARN)
    built.checker.says[NAME] = warn
    built.ca.broken = {NAME}
    built.add(NAME)
    first = built.settle()
    assert first.compared == NOTHING
    built.checker.says[NAME] = warn[1:]
    built.advance(2 * timedelta(minutes=1))
    second = built.one
    assert second.failures == 2
    assert second.compared.plain() == (
        "Since the last try: CAA is right now; AAAA still leads elsewhere; the CA's validation still fails."
    )
    rows = built.happened("attempt_failed")
    assert "Since the last try" not in str(rows[0].details)
    assert str(rows[1].details).endswith(second.compared.plain())
    built.ca.broken.clear()
    built.advance(HOUR)
    assert built.one.compared == NOTHING


def test_the_certificates_own_words_are_unchanged_by_a_wait_for_the_ca() -> None:
    built = Built(names_of_cas=("first",))
    built.ca.broken = {NAME}
    built.add(NAME)
    first: Certificate = built.settle()
    assert first.failures == 1
    built.ca.down = True
    built.add_many(5)
    built.advance(HOUR)
    built.ca.down = False
    built.advance(HOUR)
    [one] = [one for one in built.all if one.domain == NAME]
    assert one.failures > 1
    assert "the CA's validation still fails" in one.compared.plain()
