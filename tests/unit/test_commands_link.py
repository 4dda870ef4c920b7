"""Links: asked for, decided, made, taken back and listed; who may, who is told what, and what the audit trail keeps."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from commands import messages, requests
from commands.caller import TERMINAL, Caller, Role
from commands.dispatch import dispatch
from commands.hearing import UNSEEN, Room
from commands.link_requests import APPROVE, DECLINE
from commands.mentions import Mentioned, mentioned
from commands.reply import Button, Composed, Fields, Hint, Outcome, Paragraph, Reply, Tone
from commands.reply_json import reply_from_json, reply_to_json
from services import linking
from services.desk import Desk
from services.model.audiences import LASTS, Kind, LinkRequest
from services.model.audit import Entry, breaks
from services.model.errors import NotFoundError
from services.ports import Message, Request
from tests.desks import MOON, STRANGER, SUPPORT, Bench
from tests.unit.approval_world import confirmed
from tests.unit.approval_world import sent as sent_in
from tests.unit.commands_world import DAY, alert, clickable, desk_of, make_bench, owed, put

ONCALL = Caller("T1/U_ONCALL", Role.ONCALL, None)
PEOPLE = {"U0000NEW": "T9/U0000NEW", "U000MOON": "T1/U000MOON"}.get


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def run(bench: Bench, text: str, caller: Caller = SUPPORT, channel: str = "C1") -> Outcome:
    return dispatch(text, caller, desk_of(bench), channel, PEOPLE)


def perform(
    bench: Bench, text: str, caller: Caller = SUPPORT, *, kind: str = "command", desk: Desk | None = None
) -> Reply | None:
    """Do a request as a worker does; return the answer."""
    number = len(trail(bench)) + bench.woken + 1
    request = Request(f"req_{number}", f"{number} {text}", "T1", "U1", "C1", text, bench.now, kind=kind)
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    requests.perform(desk or desk_of(bench), claimed, caller, PEOPLE)
    message = by_key(bench, f"request:{request.id}")
    bench.woken += 1
    return (
        None
        if message is None or message.kind != messages.REPLY
        else reply_from_json(json.loads(json.dumps(message.body)))
    )


def by_key(bench: Bench, key: str) -> Message | None:
    with bench.storage.read() as tx:
        return tx.outbox.by_key(key)


def trail(bench: Bench) -> list[Entry]:
    with bench.storage.read() as tx:
        return list(tx.audit.entries())


def stores_of(bench: Bench, who: str, kind: Kind = Kind.PERSON) -> list[str]:
    return [link.store for link in linking.linked_to(bench.desk, kind, who)]


def sent(bench: Bench) -> list[Message]:
    """Return what Slack is owed a few seconds later, and deliver it."""
    late = bench.now + linking.EARLIEST + linking.SPREAD
    with bench.storage.write() as tx:
        claimed = list(tx.outbox.claim(late, timedelta(minutes=1), 100))
    spoken = [one for one in claimed if not messages.compose(desk_of(bench), one).quiet]
    with bench.storage.write() as tx:
        for message in claimed:
            ts = f"ts_{message.id}" if message in spoken else message.ts or ""
            tx.outbox.delivered(message, ts, final=False)
    return spoken


def asked(bench: Bench, store: str = "sun", caller: Caller = STRANGER) -> LinkRequest:
    """Ask for a link as the caller, and return the request as it is kept."""
    assert run(bench, f"link {store}", caller).exit_code == 0
    [message] = [one for one in sent(bench) if one.kind == linking.REQUEST]
    assert message.channel == "C_SUPPORT"
    with bench.storage.read() as tx:
        request = tx.links.request(str(message.body["request"]))
    assert request is not None
    return request


def shown(bench: Bench, request: LinkRequest) -> Composed:
    """Return the request as support sees it now."""
    message = owed(linking.REQUEST, {"request": request.id}, channel="C_SUPPORT", at=bench.now)
    composed = messages.compose(desk_of(bench), message)
    assert reply_from_json(json.loads(json.dumps(reply_to_json(composed.reply)))) == composed.reply
    return composed


# --- asking --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", [MOON, STRANGER], ids=lambda one: one.role)
def test_a_request_reaches_support_with_two_buttons(bench: Bench, caller: Caller) -> None:
    request = asked(bench, "sun", caller)
    assert (request.person, request.store, request.channel) == (caller.person, "sun", "C1")
    composed = shown(bench, request)
    assert not composed.final
    assert composed.reply.title.plain() == "Somebody asks to be linked to the store sun"
    buttons = clickable(composed.reply)
    assert list(buttons) == [APPROVE, DECLINE]
    assert all(isinstance(one, Button) and one.value == request.id for one in buttons.values())
    assert stores_of(bench, caller.person) == []


@pytest.mark.parametrize("caller", [MOON, STRANGER], ids=lambda one: one.role)
def test_an_unknown_store_gets_the_same_answer_and_reaches_nobody(bench: Bench, caller: Caller) -> None:
    real, unreal = run(bench, "link sun", caller), run(bench, "link nun", caller)
    assert str(real).replace("sun", "STORE") == str(unreal).replace("nun", "STORE")
    assert [message.kind for message in sent(bench)] == [linking.REQUEST]
    assert run(bench, "link nun", caller).exit_code == 0
    assert sent(bench) == []


@pytest.mark.parametrize("store", ["sun", "nun"])
def test_either_way_the_same_rows_are_written(bench: Bench, store: str) -> None:
    """That is why the answer takes the same time."""
    run(bench, f"link {store}", STRANGER)
    with bench.storage.write() as tx:
        kept = tx.links.ask(LinkRequest("x", STRANGER.person, store, "C1", bench.now), bench.now)
        message = tx.outbox.by_key(f"link_request:{kept.id}")
        assert message is not None
        assert (message.version, message.sent) == (1, 0)


def test_the_answer_never_waits_for_support_to_be_told(bench: Bench) -> None:
    """Messages leave one behind the other: a call to Slack before the answer would tell that there is such a store."""
    for number in range(50):
        run(bench, "link sun", Caller(f"T1/U{number}", Role.NOBODY))
    with bench.storage.write() as tx:
        assert tx.outbox.claim(bench.now + timedelta(seconds=2), timedelta(minutes=1), 100) == []
        moments = [one.run_after for one in tx.outbox.claim(bench.now + DAY, timedelta(minutes=1), 100)]
    assert len(set(moments)) == 50  # when it is, chance says


def test_a_store_that_comes_to_be_later_can_be_asked_for_again(bench: Bench) -> None:
    run(bench, "link mars", STRANGER)
    bench.store("mars")
    assert asked(bench, "mars").store == "mars"


def test_asked_twice_it_is_one_request(bench: Bench) -> None:
    asked(bench)
    assert run(bench, "link sun", STRANGER).exit_code == 0
    assert sent(bench) == []


def test_who_is_linked_already_need_not_ask(bench: Bench) -> None:
    outcome = run(bench, "link moon", MOON)
    assert outcome.reply.title.plain() == "You are linked to the store moon already"
    assert sent(bench) == []


@pytest.mark.parametrize(("caller", "hints"), [(SUPPORT, 1), (ONCALL, 0), (TERMINAL, 1)])
def test_who_sees_all_stores_needs_no_link(bench: Bench, caller: Caller, hints: int) -> None:
    for store in ("sun", "nun"):
        outcome = run(bench, f"link {store}", caller)
        assert outcome.reply.title.plain() == "You see every store already: you need no link"
        assert len(outcome.reply.parts) == hints
    assert sent(bench) == []


@pytest.mark.parametrize("store", ["sun", "nun"])
def test_without_a_channel_for_support_nobody_is_kept_waiting(bench: Bench, store: str) -> None:
    desk = desk_of(bench, channel="", support_channel="")
    outcome = dispatch(f"link {store}", STRANGER, desk, "C1")
    assert outcome.exit_code == 1
    assert "Nobody would see your request" in outcome.reply.title.plain()


def test_without_a_channel_of_its_own_support_reads_that_of_alerts(bench: Bench) -> None:
    desk = desk_of(bench, support_channel="")
    dispatch("link sun", STRANGER, desk, "C1")
    assert [message.channel for message in sent(bench)] == ["C_ALERTS"]


# --- deciding ------------------------------------------------------------------------------------------------------


def test_an_approved_request_links_and_the_asker_is_told_directly(bench: Bench) -> None:
    request = asked(bench)
    assert perform(bench, f"{APPROVE} {request.id}", kind="click") is None
    assert stores_of(bench, STRANGER.person) == ["sun"]
    reply = shown(bench, request).reply
    assert reply.title.plain() == "Approved: the person is linked to the store sun"
    [decided] = [part for part in reply.parts if isinstance(part, Paragraph)]
    assert decided.text.plain() == "U_SUPPORT decided this on 2027-02-10 14:03 UTC."
    assert not clickable(reply)
    told = by_key(bench, f"link_answer:{request.id}")
    assert told is not None
    assert (told.user, told.private, told.channel) == ("U_NEW", True, "C1")
    composed = messages.compose(desk_of(bench), told)
    assert composed.reply.title.plain() == "You are linked to the store sun now"
    assert composed.reply.private
    assert not composed.final  # so that it goes to their direct messages


def test_a_declined_request_is_as_silent_as_one_for_no_store(bench: Bench) -> None:
    request = asked(bench)
    assert perform(bench, f"{DECLINE} {request.id}", kind="click") is None
    assert stores_of(bench, STRANGER.person) == []
    assert shown(bench, request).reply.title.plain() == "Declined: the person is not linked to the store sun"
    assert by_key(bench, f"link_answer:{request.id}") is None
    assert [message.kind for message in sent(bench)] == [linking.REQUEST]
    assert asked(bench).id != request.id


@pytest.mark.parametrize(
    ("first", "said"), [(APPROVE, "has approved this already"), (DECLINE, "has declined this already")]
)
@pytest.mark.parametrize("second", [APPROVE, DECLINE])
def test_a_request_is_decided_once(bench: Bench, first: str, said: str, second: str) -> None:
    request = asked(bench)
    perform(bench, f"{first} {request.id}", kind="click")
    linked = stores_of(bench, STRANGER.person)
    reply = perform(bench, f"{second} {request.id}", kind="click")
    assert reply is not None
    assert reply.private
    assert said in reply.title.plain()
    assert stores_of(bench, STRANGER.person) == linked


def test_a_request_runs_out(bench: Bench) -> None:
    request = asked(bench)
    bench.now += LASTS
    reply = perform(bench, f"{APPROVE} {request.id}", kind="click")
    assert reply is not None
    assert "has run out" in reply.title.plain()
    assert stores_of(bench, STRANGER.person) == []
    composed = shown(bench, request)
    assert composed.final
    assert composed.reply.title.plain() == "Nobody has decided this request for the store sun in time"


def test_what_has_run_out_says_so_by_itself(bench: Bench) -> None:
    request = asked(bench)
    run(bench, "link nun", STRANGER)
    assert sent(bench) == []
    assert linking.expire(bench.desk) == 0
    bench.now += LASTS
    assert linking.expire(bench.desk) == 2
    [message] = sent(bench)  # nobody is told of one that was for no store
    assert message.body == {"request": request.id}
    composed = shown(bench, request)
    assert composed.final
    assert composed.reply.title.plain() == "Nobody has decided this request for the store sun in time"
    assert not clickable(composed.reply)
    reply = perform(bench, f"{APPROVE} {request.id}", kind="click")
    assert reply is not None
    assert "has run out" in reply.title.plain()
    assert linking.expire(bench.desk) == 0
    sent(bench)
    bench.store("nun")  # too late for the request, and it can be asked for again
    run(bench, "link nun", STRANGER)
    [again] = sent(bench)
    assert shown(bench, replace(request, id=again.body["request"])).reply.title.plain().endswith("store nun")


def test_a_request_that_ran_out_before_support_was_told_is_told_no_more(bench: Bench) -> None:
    run(bench, "link sun", STRANGER)
    bench.now += LASTS
    assert linking.expire(bench.desk) == 1
    assert sent(bench) == []


@pytest.mark.parametrize(
    "given", ["shop.sun.test", "https://SHOP.sun.test/cart?x=1", "www.shop.sun.test", "sun.shops.test"]
)
def test_a_store_is_asked_for_by_what_its_merchant_knows_of_it(bench: Bench, given: str) -> None:
    """A store's id is the platform's; its people know their own address."""
    bench.store("sun", "shop.sun.test", "sun.shops.test")
    request = asked(bench, given)
    composed = shown(bench, request)
    assert composed.reply.title.plain() == "Somebody asks to be linked to the store sun"
    [facts] = [part for part in composed.reply.parts if isinstance(part, Fields)]
    rows = {label.plain(): str(value) for label, value in facts.pairs}
    assert (rows["Store"], rows["Asked for as"]) == ("sun", request.store)
    assert perform(bench, f"{APPROVE} {request.id}", kind="click") is None
    assert stores_of(bench, STRANGER.person) == ["sun"]
    assert shown(bench, request).reply.title.plain() == "Approved: the person is linked to the store sun"
    told = by_key(bench, f"link_answer:{request.id}")
    assert told is not None
    answer = messages.compose(desk_of(bench), told).reply
    assert answer.title.plain() == "You are linked to the store sun now"
    assert trail(bench)[-1].subject.endswith(" sun")


@pytest.mark.parametrize("caller", [MOON, STRANGER], ids=lambda one: one.role)
def test_a_domain_of_a_store_and_one_of_nobody_are_taken_alike(bench: Bench, caller: Caller) -> None:
    bench.store("sun", "shop.sun.test")
    real, unreal = run(bench, "link shop.sun.test", caller), run(bench, "link shop.nun.test", caller)
    assert str(real).replace("sun", "STORE") == str(unreal).replace("nun", "STORE")
    assert [message.kind for message in sent(bench)] == [linking.REQUEST]


def test_staff_name_a_store_by_a_domain_as_well(bench: Bench) -> None:
    run(bench, "link C0000ROOM https://shop.moon.test/")
    assert stores_of(bench, "C0000ROOM", Kind.CHANNEL) == ["moon"]
    assert "moon" in run(bench, "links shop.moon.test").reply.title.plain()
    assert "moon" in run(bench, "links shop.moon.test", MOON).reply.title.plain()
    for other in ("shop.sun.test", "shop.nun.test"):
        assert run(bench, f"links {other}", MOON).reply.title.plain().startswith("There is no store")
    confirmed(bench, run(bench, "unlink C0000ROOM shop.moon.test"))
    assert stores_of(bench, "C0000ROOM", Kind.CHANNEL) == []


@pytest.mark.parametrize("value", ["link_1", "link_1 2"])
def test_a_value_that_leads_nowhere_does_nothing(bench: Bench, value: str) -> None:
    reply = perform(bench, f"{APPROVE} {value}", kind="click")
    assert reply is not None
    assert reply.tone is Tone.WARN


def test_a_forged_click_on_a_request_for_no_store_makes_no_link(bench: Bench) -> None:
    run(bench, "link nun", STRANGER)
    with bench.storage.write() as tx:
        kept = tx.links.ask(LinkRequest("x", STRANGER.person, "nun", "C1", bench.now), bench.now)
    perform(bench, f"{APPROVE} {kept.id}", kind="click")
    assert stores_of(bench, STRANGER.person) == []


@pytest.mark.parametrize("action", [APPROVE, DECLINE])
@pytest.mark.parametrize("caller", [MOON, STRANGER, ONCALL], ids=lambda one: one.role)
def test_only_support_decides(bench: Bench, action: str, caller: Caller) -> None:
    request = asked(bench)
    known = perform(bench, f"{action} {request.id}", caller, kind="click")
    unknown = perform(bench, f"{action} link_0", caller, kind="click")
    assert known == unknown
    assert known is not None
    assert known.title.plain() == "You may not do this"
    assert not [one for one in trail(bench) if one.result != "refused"]
    assert clickable(shown(bench, request).reply)


@pytest.mark.parametrize("kind", [linking.REQUEST, linking.ANSWER])
def test_a_message_of_a_request_that_is_gone_says_so(bench: Bench, kind: str) -> None:
    composed = messages.compose(desk_of(bench), owed(kind, {"request": "link_0"}))
    assert composed.final
    assert "no longer knows" in composed.reply.title.plain()


# --- linking and unlinking -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "person"),
    [
        ("<@U0000NEW|new>", "T9/U0000NEW"),
        ("<@U0000NEW>", "T9/U0000NEW"),
        ("U0000NEW", "T9/U0000NEW"),
        ("T7/U0000XYZ", "T7/U0000XYZ"),
        ("@T7/U0000XYZ", "T7/U0000XYZ"),
    ],
)
def test_support_links_a_person_and_takes_it_back(bench: Bench, word: str, person: str) -> None:
    outcome = run(bench, f"link {word} sun")
    assert outcome.exit_code == 0
    assert outcome.reply.private
    assert stores_of(bench, person) == ["sun"]
    assert "there already" in run(bench, f"link {word} sun").reply.title.plain()
    assert confirmed(bench, run(bench, f"unlink {word} sun")).reply.tone is Tone.GOOD
    assert stores_of(bench, person) == []
    again = run(bench, f"unlink {word} sun")
    assert again.exit_code == 1
    assert "is not linked" in again.reply.title.plain()


def test_a_channel_has_one_store(bench: Bench) -> None:
    assert run(bench, "link <#C0000001|moon> moon").exit_code == 0
    assert (
        run(bench, "link C0000001 nun").reply.title.plain() == "There is no store nun. Nothing was changed."
    )
    asked = run(bench, "link C0000001 sun")
    assert stores_of(bench, "C0000001", Kind.CHANNEL) == [
        "moon"
    ]  # a link is taken back: that is confirmed first
    outcome = confirmed(bench, asked)
    assert _says(outcome, "Until now it was linked to the store moon.")
    assert stores_of(bench, "C0000001", Kind.CHANNEL) == ["sun"]
    assert confirmed(bench, run(bench, "unlink #C0000001 sun")).reply.tone is Tone.GOOD
    assert stores_of(bench, "C0000001", Kind.CHANNEL) == []


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (Room(known=True, public=True), "this channel is public"),
        (Room(known=True, readers=(SUPPORT, MOON)), "who are not linked to the store"),
        (Room(known=True, readers=(SUPPORT, STRANGER)), "who are not linked to the store"),
        (Room(known=True, readers=(SUPPORT, replace(MOON, stores=frozenset({"moon", "sun"})))), ""),
        (Room(known=True, staff=True), ""),
        (UNSEEN, ""),
    ],
)
def test_who_links_a_channel_is_told_who_else_reads_there(bench: Bench, room: Room, said: str) -> None:
    """What the store's merchant has to do is told there unasked, whoever reads it."""

    class Rooms:
        def room(self, channel: str) -> Room:
            assert channel == "C0000001"
            return room

    def link() -> Outcome:
        return dispatch("link C0000001 sun", SUPPORT, desk_of(bench), "C1", PEOPLE, rooms=Rooms())

    outcome = link()
    assert _says(outcome, "Take care") is _says(outcome, said or "Take care") is bool(said)
    assert outcome.reply.tone is (Tone.WARN if said else Tone.GOOD)
    run(bench, "unlink C0000001 sun")
    linking.link(bench.desk, Kind.CHANNEL, "C0000001", "moon", "T1/U9")
    asked = link()
    assert _says(asked, "Take care") is bool(said)
    assert _says(confirmed(bench, asked), "Take care") is bool(said)
    # and so it is in Slack
    typed = sent_in(bench, "link C0000001 sun", SUPPORT, "command", rooms=Rooms())
    answer = by_key(bench, f"request:{typed.id}")
    assert answer is not None
    assert ("Take care" in str(answer.body)) is bool(said)


def _says(outcome: Outcome, text: str) -> bool:
    hints = [part.text.plain() for part in outcome.reply.parts if isinstance(part, Hint)]
    return any(text in hint for hint in hints)


@pytest.mark.parametrize(
    ("text", "exit_code", "said"),
    [
        ("link", 2, "The store is missing."),
        ("link <@U0000NEW>", 2, "The store is missing."),
        ("link @new sun", 2, "Choose one from the list"),
        ("link #new sun", 2, "Choose one from the list"),
        ("link @new", 2, "Choose one from the list"),
        ("link <@U0000NEW> sun moon", 2, "one store"),
        ("link <@U0000NEW> s/n", 2, "cannot be the id of a store"),
        ("link <@U0000NEW> nun", 1, "There is no store nun"),
        ("link <@U0000GON> sun", 1, "Slack does not tell who"),
        ("unlink", 2, "The person or the channel is missing"),
        ("unlink sun", 2, "Choose one from the list"),
        ("unlink <@U0000NEW> nun", 1, "is not linked"),
        ("links", 2, "Name a store, a person or a channel: you may see all of them."),
        ("links sun moon", 2, "takes one store"),
        ("links @new", 2, "no person and no channel"),
        ("links workspace T99", 1, "certdesk is not installed in the workspace T99"),
        ("links nun", 1, "There is no store nun"),
    ],
)
def test_what_cannot_be_done_is_said(bench: Bench, text: str, exit_code: int, said: str) -> None:
    outcome = run(bench, text)
    assert outcome.exit_code == exit_code
    parts = [getattr(part, "text", "") for part in outcome.reply.parts]
    assert said in "\n".join(map(str, (outcome.reply.title, *parts)))
    assert not linking.links_of(bench.desk, "sun")


@pytest.mark.parametrize("caller", [MOON, STRANGER, ONCALL], ids=lambda one: one.role)
@pytest.mark.parametrize(
    "text",
    ["link <@U0000NEW> {}", "link <#C0000001> {}", "unlink <@U0000NEW> {}", "link @x {}", "link U0000NEW"],
)
def test_others_link_nobody(bench: Bench, text: str, caller: Caller) -> None:
    answers = {str(run(bench, text.format(store), caller).reply) for store in ("moon", "sun", "nun")}
    assert len(answers) == 1
    assert run(bench, text.format("sun"), caller).denied
    assert not linking.links_of(bench.desk, "sun")


def test_a_store_that_went_away_cannot_be_linked(bench: Bench) -> None:
    with pytest.raises(NotFoundError):
        linking.link(bench.desk, Kind.PERSON, "T1/U1", "nun", "terminal")


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("<@U1|x>", Mentioned(Kind.PERSON, "U1")),
        ("<@W12345678>", Mentioned(Kind.PERSON, "W12345678")),
        ("<#C1|>", Mentioned(Kind.CHANNEL, "C1")),
        ("G00000001", Mentioned(Kind.CHANNEL, "G00000001")),
        ("1/U0000001", None),
        ("E12/U0000001", Mentioned(Kind.PERSON, "U0000001", "E12")),
        ("moon", None),
        ("<!here>", None),
        ("<@U1", None),
        ("u0000001", None),
    ],
)
def test_mentions_are_read(word: str, found: Mentioned | None) -> None:
    assert mentioned(word) == found


# --- listing -------------------------------------------------------------------------------------------------------


def test_support_sees_who_is_linked_and_by_whom(bench: Bench) -> None:
    run(bench, "link <@U0000NEW> sun")
    run(bench, "link <#C0000001> sun")
    outcome = run(bench, "links sun")
    found = (outcome.data or {})["links"]
    assert [(one["kind"], one["who"], one["by"]) for one in found] == [
        ("channel", "C0000001", SUPPORT.person),
        ("person", "T9/U0000NEW", SUPPORT.person),
    ]
    [fields] = [part for part in outcome.reply.parts if isinstance(part, Fields)]
    assert [label.plain() for label, _ in fields.pairs] == ["Channel C0000001", "Person U0000NEW"]
    assert "by U_SUPPORT" in str(fields.pairs[0][1])
    assert outcome.reply.private


def test_support_sees_what_a_person_or_a_channel_is_linked_to(bench: Bench) -> None:
    for store in ("moon", "sun"):
        run(bench, f"link <@U0000NEW> {store}")
    assert [one["store"] for one in (run(bench, "links <@U0000NEW>").data or {})["links"]] == ["moon", "sun"]
    nothing = run(bench, "links <#C0000001>")
    assert nothing.reply.title.plain() == "C0000001 is linked to no store"
    assert run(bench, "links <@U0000NEW>", MOON).denied


def test_a_merchant_sees_the_links_of_their_own_stores_but_not_who_made_them(bench: Bench) -> None:
    run(bench, "link <@U0000NEW> sun")
    run(bench, "link <@U000MOON> moon")
    for text in ("links", "links moon"):
        outcome = run(bench, text, MOON)
        assert [one["who"] for one in (outcome.data or {})["links"]] == ["T1/U000MOON"]
        assert "U_SUPPORT" not in str(outcome)
    assert run(bench, "links", replace(MOON, stores=frozenset({"sun2"}))).exit_code == 0


# --- the channel's store -------------------------------------------------------------------------------------------


def test_in_a_linked_channel_commands_mean_its_store(bench: Bench) -> None:
    for name in ("shop.moon.test", "sun.test"):
        run(bench, f"add {name}", channel="")
    run(bench, "link <#C1> moon")
    assert [one["name"] for one in (run(bench, "status").data or {})["certificates"]] == ["shop.moon.test"]
    other = run(bench, "status sun.test")
    assert other.exit_code == 1
    assert "In this channel commands mean the store moon" in str((other.data or {})["findings"])
    assert run(bench, "status sun.test --store sun").exit_code == 0
    assert run(bench, "status sun.test", channel="C2").exit_code == 0
    assert (run(bench, "links").data or {})["links"][0]["who"] == "C1"


def test_a_linked_channel_gives_no_right_to_its_store(bench: Bench) -> None:
    before = {text: run(bench, text, MOON) for text in ("status", "links", "status sun.test", "add sun.test")}
    run(bench, "link <#C1> sun")
    for text, outcome in before.items():
        assert str(run(bench, text, MOON)) == str(outcome)


# --- the audit trail -----------------------------------------------------------------------------------------------


def kept(bench: Bench) -> list[tuple[str, str, str, str, str]]:
    rows = trail(bench)
    assert not list(breaks(rows))
    return [(one.actor, one.role, one.action, one.subject, one.result) for one in rows]


def test_what_changes_something_is_kept(bench: Bench) -> None:
    perform(bench, "add shop.moon.test")
    perform(bench, "add https://WWW.moon.test/ sun.test", MOON)
    perform(bench, "renew sun.test", MOON)
    perform(bench, "link <@U0000NEW> sun")
    perform(bench, "unlink <@U0000NEW> moon")
    support, moon = (SUPPORT.person, "support"), (MOON.person, "merchant")
    assert kept(bench) == [
        (*support, "add", "shop.moon.test", "done"),
        (*moon, "add", "www.moon.test sun.test", "done"),
        (*moon, "renew", "sun.test", "failed"),
        (*support, "link", "T9/U0000NEW sun", "done"),
        (*support, "unlink", "T9/U0000NEW moon", "failed"),
    ]


@pytest.mark.parametrize(
    "text", ["", "help", "status", "check shop.moon.test", "add", "add --help", "xyz", "links moon"]
)
def test_looks_help_and_words_that_cannot_be_read_are_not_kept(bench: Bench, text: str) -> None:
    perform(bench, text)
    perform(bench, text, MOON)
    assert kept(bench) == []


def test_what_was_refused_is_kept_with_the_reason(bench: Bench) -> None:
    perform(bench, "alerts", MOON)
    perform(bench, "status shop.moon.test", STRANGER)
    perform(bench, "alert.list alert_1 4", MOON, kind="click")
    assert kept(bench) == [
        (MOON.person, "merchant", "alerts", "", "refused"),
        (STRANGER.person, "nobody", "status", "shop.moon.test", "refused"),
        (MOON.person, "merchant", "alert.list", "alert_1 4", "refused"),
    ]
    assert [one.reason for one in trail(bench)] == [
        "You may not do this",
        "You have no access to this yet",
        "You may not do this",
    ]


def test_clicks_are_kept_but_looks_are_not(bench: Bench) -> None:
    put(bench, alert())
    request = asked(bench)
    for text in (
        "alert.list alert_1 4",
        "alert.ack alert_1 4",
        "alert.ack alert_1 4",
        "alert.ack x",
        "no.such 1",
    ):
        perform(bench, text, kind="click")
    perform(bench, f"{APPROVE} {request.id}", kind="click")
    support = (SUPPORT.person, "support")
    assert kept(bench) == [
        (*support, "alert.ack", "alert_1 4", "done"),
        (*support, "alert.ack", "alert_1 4", "failed"),
        (*support, APPROVE, f"{request.id} {STRANGER.person} sun", "done"),
    ]


def test_what_is_typed_in_a_terminal_is_kept(bench: Bench) -> None:
    outcome = requests.typed(desk_of(bench), ("add", "shop.moon.test"), TERMINAL)
    assert outcome.exit_code == 0
    requests.typed(desk_of(bench), ("status",), TERMINAL)
    assert kept(bench) == [("terminal", "admin", "add", "shop.moon.test", "done")]


def test_what_brought_workers_down_is_kept_as_failed(bench: Bench) -> None:
    request = Request("req_1", "1", "T1", "U1", "C1", "add shop.moon.test", bench.now)
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    requests.perform(desk_of(bench), replace(claimed, tries=requests.MOST_TRIES + 1), SUPPORT)
    assert kept(bench) == [(SUPPORT.person, "support", "command", "add shop.moon.test", "failed")]


def test_the_row_and_the_answer_are_one_transaction(bench: Bench) -> None:
    """Another worker has the request: neither the answer nor a second row is written."""
    request = Request("req_1", "1", "T1", "U1", "C1", "add shop.moon.test", bench.now)
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, timedelta(0), 10)
        tx.requests.claim(bench.now + DAY, DAY, 10)
    with pytest.raises(Exception, match="lost"):
        requests.perform(desk_of(bench), claimed, SUPPORT)
    assert kept(bench) == []
