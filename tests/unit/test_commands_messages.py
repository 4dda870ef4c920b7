"""From a request to its message: written once, composed anew at each look, final when all is installed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import messages, requests
from commands.attachment import Attachment
from commands.caller import Caller
from commands.hearing import Room
from commands.progressing import progress
from commands.reply import (
    Button,
    Buttons,
    Code,
    Fields,
    Hint,
    Mark,
    Mention,
    Menu,
    Paragraph,
    Part,
    Plan,
    Problem,
    Reply,
    Row,
    Rows,
    Steps,
    Tone,
)
from commands.reply_json import part_from_json, part_to_json, reply_from_json, reply_to_json
from services.model.errors import CertdeskError, LeaseLostError
from services.model.lifecycle import State
from services.model.text import Text, say
from services.ports import Message, Request
from storage.memory import MemoryStorage
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench, finding

LEASE = timedelta(minutes=1)


class AmongStaff:
    """`commands.hearing.Rooms` where only the platform's own people read."""

    def room(self, _channel: str) -> Room:
        return Room(known=True, staff=True)


@pytest.fixture
def bench() -> Bench:
    made = Bench(MemoryStorage())
    made.store("moon", "shop.moon.test", "www.moon.test")
    made.store("sun", "sun.test")
    return made


def asked(bench: Bench, text: str, number: int = 1) -> Request:
    """Put a request and claim it, as a worker does."""
    request = Request(f"req_{number}", f"trigger-{number}", "T1", "U1", "C1", text, bench.now)
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, LEASE, 10)
    return claimed


def message(bench: Bench, number: int = 1) -> Message:
    with bench.storage.read() as tx:
        found = tx.outbox.by_key(f"request:req_{number}")
    assert found is not None
    return found


@pytest.mark.parametrize(("caller", "owner"), [(MOON, "yours"), (SUPPORT, "the merchant")])
@pytest.mark.parametrize("text", ["add shop.moon.test nobody.test", "add nobody.test"])
def test_what_a_merchant_has_to_do_is_said_to_be_theirs(
    bench: Bench, caller: Caller, owner: str, text: str
) -> None:
    requests.perform(bench.desk, asked(bench, text), caller)
    if "shop" in text:
        bench.change(
            "shop.moon.test",
            state=State.BLOCKED,
            problem=finding("dns.not_hosted", "shop.moon.test"),
        )
    shown = messages.compose(bench.desk, message(bench)).reply
    problems = [part for part in shown.parts if isinstance(part, Problem)]
    assert problems
    assert {part.owner.plain() for part in problems} == {owner}


def perform(bench: Bench, text: str, caller: Caller = SUPPORT) -> Message:
    requests.perform(bench.desk, asked(bench, text), caller, rooms=AmongStaff())
    return message(bench)


# --- requests ------------------------------------------------------------------------------------------------------


def test_a_question_is_answered_by_a_finished_message(bench: Bench) -> None:
    sent = perform(bench, "help")
    assert (sent.kind, sent.channel, sent.user, sent.private) == ("reply", "C1", "U1", True)
    composed = messages.compose(bench.desk, sent)
    assert composed.final
    assert composed.reply.title.plain() == "certdesk gets and keeps TLS certificates for stores"
    with bench.storage.read() as tx:
        done = tx.requests.get("req_1")
    assert done is not None
    assert done.done_at == NOW


def test_add_is_answered_by_a_message_that_follows_the_work_to_its_end(bench: Bench) -> None:
    sent = perform(bench, "add shop.moon.test a@b.test sun.test")
    assert sent.kind == "progress"
    assert not sent.private
    assert set(sent.follows) == {one.id for one in bench.certificates()}

    first = messages.compose(bench.desk, sent)
    assert first.reply.title.plain() == "Under way: 0 of 3 names are installed"
    assert not first.final
    bench.install("shop.moon.test")
    second = messages.compose(bench.desk, sent)
    assert second.reply.title.plain() == "Under way: 1 of 3 names are installed"
    assert not second.final
    bench.install("sun.test", serial="ff")
    last = messages.compose(bench.desk, sent)
    assert last.reply.title.plain() == "2 of 3 names are installed"
    assert [part.code for part in last.reply.parts if isinstance(part, Problem)] == ["domain.invalid"]
    assert last.final


def test_a_followed_message_becomes_due_again_with_every_change(bench: Bench) -> None:
    perform(bench, "add shop.moon.test")
    with bench.storage.write() as tx:
        [claimed] = tx.outbox.claim(NOW, LEASE, 10)
        tx.outbox.delivered(claimed, "1.2", final=False)
    bench.change("shop.moon.test", state=State.ORDERING)
    with bench.storage.write() as tx:
        [claimed] = tx.outbox.claim(NOW, LEASE, 10)
    assert claimed.ts == "1.2"


def test_a_followed_message_shows_blockers_and_keeps_following(bench: Bench) -> None:
    sent = perform(bench, "add shop.moon.test", MOON)
    assert sent.private
    found = finding("dns.not_hosted", "shop.moon.test")
    bench.change("shop.moon.test", [found], state=State.BLOCKED, problem=found)
    composed = messages.compose(bench.desk, sent)
    assert composed.reply.tone is Tone.WARN
    assert composed.reply.private
    assert not composed.final


def test_findings_of_an_earlier_check_are_not_shown_while_work_is_under_way(bench: Bench) -> None:
    sent = perform(bench, "add shop.moon.test")
    bench.change("shop.moon.test", [finding("dns.lame", "shop.moon.test")], state=State.CHECKING)
    composed = messages.compose(bench.desk, sent)
    assert [type(part) for part in composed.reply.parts] == [Plan]


def test_where_nothing_was_taken_the_answer_is_finished(bench: Bench) -> None:
    sent = perform(bench, "add nobody.test")
    assert (sent.kind, sent.follows) == ("reply", ())


def test_the_same_request_again_has_one_message_and_does_nothing_twice(bench: Bench) -> None:
    request = asked(bench, "add shop.moon.test")
    requests.perform(bench.desk, request, SUPPORT)
    before = bench.certificates()
    requests.perform(bench.desk, request, SUPPORT)
    assert bench.certificates() == before
    with bench.storage.read() as tx:
        assert tx.outbox.waiting() == 1


def test_a_request_that_another_worker_claimed_since_is_not_answered_twice(bench: Bench) -> None:
    request = asked(bench, "help")
    bench.now += 2 * LEASE
    with bench.storage.write() as tx:
        tx.requests.claim(bench.now, LEASE, 10)
    with pytest.raises(LeaseLostError):
        requests.perform(bench.desk, request, SUPPORT)
    with bench.storage.read() as tx:
        assert tx.outbox.waiting() == 0


def test_a_request_that_never_ends_is_closed_with_an_apology_and_its_id(bench: Bench) -> None:
    request = replace(asked(bench, "add shop.moon.test"), tries=requests.MOST_TRIES + 1)
    requests.perform(bench.desk, request, SUPPORT)
    composed = messages.compose(bench.desk, message(bench))
    assert composed.reply.tone is Tone.BAD
    assert "req_1" in str([part.text.plain() for part in composed.reply.parts if isinstance(part, Hint)])
    assert not bench.certificates()


def test_a_stranger_is_answered_in_private(bench: Bench) -> None:
    sent = perform(bench, "add shop.moon.test", STRANGER)
    assert sent.private
    assert not bench.certificates()


# --- composing -----------------------------------------------------------------------------------------------------


def test_a_kind_that_nobody_knows_is_said(bench: Bench) -> None:
    unknown = Message("msg_1", "k", "telegram", "C1", "U1", private=False, body={}, created_at=NOW)
    with pytest.raises(CertdeskError, match="telegram"):
        messages.compose(bench.desk, unknown)


def test_a_refused_name_without_a_problem_is_a_fault(bench: Bench) -> None:
    body = {"verb": "add", "names": [], "refused": [{"name": "x", "problem": part_to_json(Code("x"))}]}
    broken = Message("msg_1", "k", "progress", "C1", "U1", private=False, body=body, created_at=NOW)
    with pytest.raises(TypeError):
        messages.compose(bench.desk, broken)


def test_a_certificate_none_of_whose_names_are_left_is_shown_by_what_it_wants(bench: Bench) -> None:
    perform(bench, "add shop.moon.test")
    certificate = bench.certificate("shop.moon.test")
    reply = progress(bench.desk, "renew", ("former.moon.test",), (certificate.id,)).reply
    assert reply.title.plain() == "Renewing the certificate for shop.moon.test"


# --- JSON ----------------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
PLAIN: Any = st.text(max_size=20)
FLAT = PLAIN | st.integers(0, 10**9) | MOMENTS | st.lists(PLAIN, max_size=3).map(tuple)
TEXTS = st.builds(
    lambda value: say("a {gap} b", gap=value), FLAT | st.builds(lambda v: say("in {v}", v=v), FLAT)
) | st.just(Text(""))
ITEMS: Any = st.builds(
    Button, PLAIN, PLAIN, TEXTS, st.sampled_from(("", "primary", "danger")), st.none() | TEXTS
) | st.builds(Menu, PLAIN, TEXTS, st.lists(st.tuples(PLAIN, TEXTS), max_size=3).map(tuple))
PARTS: Any = st.one_of(
    st.builds(Paragraph, TEXTS),
    st.builds(Hint, TEXTS),
    st.builds(Fields, st.lists(st.tuples(TEXTS, FLAT | TEXTS), max_size=3).map(tuple)),
    st.builds(Plan, PLAIN, st.lists(st.tuples(TEXTS, st.sampled_from(Mark)), max_size=7).map(tuple)),
    st.builds(Problem, PLAIN, TEXTS, TEXTS, TEXTS, st.booleans()),
    st.builds(
        Rows, st.lists(st.builds(Row, PLAIN, st.sampled_from(Tone), TEXTS, TEXTS), max_size=3).map(tuple)
    ),
    st.builds(Code, PLAIN),
    st.builds(Steps, st.lists(TEXTS, max_size=3).map(tuple)),
    st.builds(Mention, st.lists(PLAIN, max_size=2).map(tuple), TEXTS),
    st.builds(Buttons, st.lists(ITEMS, max_size=3).map(tuple)),
    st.builds(Attachment, PLAIN, st.dictionaries(PLAIN, st.integers() | PLAIN, max_size=3)),
)


@given(st.builds(Reply, st.sampled_from(Tone), TEXTS, st.lists(PARTS, max_size=4).map(tuple), st.booleans()))
def test_a_reply_comes_back_from_json_unchanged(reply: Reply) -> None:
    assert reply_from_json(json.loads(json.dumps(reply_to_json(reply)))) == reply


def test_every_kind_of_part_can_be_written_and_read() -> None:
    kinds = {Paragraph, Hint, Fields, Plan, Problem, Rows, Code, Steps, Mention, Buttons, Attachment}
    assert kinds == set(Part.__args__)


@pytest.mark.parametrize("broken", [{}, {"kind": "video"}, {"kind": "plan", "name": "x"}])
def test_what_is_no_part_raises(broken: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        part_from_json(broken)


@pytest.mark.parametrize("kind", ["home", "submission"])
def test_what_nothing_is_shown_for_ends_quietly_at_once(bench: Bench, kind: str) -> None:
    requests.perform(bench.desk, replace(asked(bench, ""), kind=kind), SUPPORT)
    with bench.storage.write() as tx:
        assert tx.outbox.by_key("request:req_1") is None
        assert list(tx.requests.claim(bench.now + 2 * LEASE, LEASE, 10)) == []
