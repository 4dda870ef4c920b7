"""Isolation: every command and click, by every role, on own, another's and an unknown store: the last two look the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.terminal import as_json
from commands import requests
from commands.caller import TERMINAL, Action, Caller, Role, holders
from commands.clicks import CLICKS
from commands.command import People
from commands.dispatch import dispatch
from commands.reply import Outcome
from commands.reply_json import reply_to_json
from commands.table import COMMANDS
from services import home, linking
from services.model.audiences import Kind, LinkRequest
from services.model.jobs import Job
from services.model.lifecycle import State
from services.model.proposals import Decider, Proposal
from services.ports import Request
from storage.memory import MemoryStorage
from tests.desks import MOON, STRANGER, SUPPORT, Bench, finding
from tests.unit.commands_world import DAY, alert, desk_of, put

PEOPLE: People = {"U0000NEW": "T9/U0000NEW"}.get
CALLERS: Mapping[Role, Caller] = {
    Role.ADMIN: Caller("T1/U_ADMIN", Role.ADMIN, None),
    Role.SUPPORT: SUPPORT,
    Role.ONCALL: Caller("T1/U_ONCALL", Role.ONCALL, None),
    Role.MERCHANT: MOON,
    Role.NOBODY: STRANGER,
}
LIMITED = [CALLERS[Role.MERCHANT], CALLERS[Role.NOBODY]]
OWN, OTHER, UNKNOWN = "moon", "quiz", "dust"
"""Three stores; the names of each are made of its id, of one length, none of them near another."""


def make() -> Bench:
    """Return a world where both stores have certificates, one of them in trouble, links and a channel of their own."""
    bench = Bench(MemoryStorage())
    for store in (OWN, OTHER):
        bench.store(store, f"{store}.test", f"shop.{store}.test", f"bad.{store}.example")
        dispatch(f"add {store}.test bad.{store}.example", SUPPORT, bench.desk)
        bench.install(f"{store}.test", f"{store}.test", serial=f"0a{store}")
        blocked = finding("dns.not_hosted", f"bad.{store}.example")
        bench.change(f"bad.{store}.example", [blocked], state=State.BLOCKED, problem=blocked)
        linking.link(bench.desk, Kind.PERSON, f"T1/U_{store}", store, "T1/U_SUPPORT")
        linking.link(bench.desk, Kind.CHANNEL, f"C_{store}", store, "T1/U_SUPPORT")
    return bench


COMMAND_TEXTS: Mapping[str, tuple[str, ...]] = {
    "add": (
        "{}.test",
        "bad.{}.example",
        "new.{}.test",
        "{}.test --store {}",
        "moon.test {}.test",
        "moon.test --store {}",
    ),
    "status": (
        "{}",
        "{}.test",
        "bad.{}.example",
        "{}.test --csr",
        "{}.test --store {}",
        "--store {}",
        "moon.test --store {}",
    ),
    "renew": ("{}.test", "bad.{}.example", "{}.test --store {}", "moon.test --store {}"),
    "remove": ("{}.test", "bad.{}.example", "{}.test --store {}", "moon.test --store {}"),
    "revoke": ("{}.test --reason superseded", "bad.{}.example --reason superseded"),
    "rollback": ("{}.test", "bad.{}.example", "{}.test --store {}", "moon.test --store {}"),
    "check": ("{}.test", "bad.{}.example", "{}.test --store {}", "www.{}.test", "moon.test --store {}"),
    "history": ("{}.test", "bad.{}.example", "{}.test --store {}", "moon.test --store {}"),
    "scan": ("{}.test", "{}.test /a", "bad.{}.example", "{}.test --store {}", "moon.test --store {}"),
    "forecast": ("", "90", "{}"),
    "alerts": ("", "1", "alert_{}"),
    "report": ("", "--store {}", "--csv --store {}", "{}"),
    "link": ("{}", "<@U0000NEW> {}", "<#C0000001> {}", "@new {}"),
    "unlink": ("{}", "<@U0000NEW> {}", "<#C_{}> {}"),
    "links": ("{}", "", "<@U_{}>"),
    "notify": ("", "{}", "workspace T2OTHER", "workspace T2OTHER C_{}"),
    "language": ("", "ko", "auto", "{}", "ko {}"),
    "help": ("", "add", "unlink", "{}"),
}
"""How each command is tried; the gap is the store's id."""
TEXTS = [
    f"{command} {words}".strip() for command, all_words in COMMAND_TEXTS.items() for words in all_words
] + [
    "{}",
    "{}.test",
    "frob {}.test",
]


def test_every_command_is_tried() -> None:
    assert list(COMMAND_TEXTS) == [one.name for one in COMMANDS]


@dataclass(frozen=True)
class Told:
    """All that anybody is told: the answer in Slack, the machine contract, and what other messages it brought."""

    reply: str
    data: str
    exit_code: int
    followed: int


def told(outcome: Outcome, store: str) -> Told:
    """Return what was told, with the store's id taken out."""

    def bare(text: str) -> str:
        return text.replace(store, "STORE").replace(store.capitalize(), "STORE")

    reply = json.dumps(reply_to_json(outcome.reply), sort_keys=True)
    return Told(bare(reply), bare(as_json(outcome)), outcome.exit_code, len(outcome.follows))


def answer(text: str, caller: Caller, store: str, channel: str = "C1") -> Told:
    bench = make()
    return told(dispatch(text.replace("{}", store), caller, desk_of(bench), channel, PEOPLE), store)


@pytest.mark.parametrize("channel", ["C1", f"C_{OWN}", f"C_{OTHER}"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("caller", LIMITED, ids=lambda one: one.role)
def test_another_store_and_an_unknown_one_are_answered_alike(caller: Caller, text: str, channel: str) -> None:
    assert answer(text, caller, OTHER, channel) == answer(text, caller, UNKNOWN, channel)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("caller", LIMITED, ids=lambda one: one.role)
def test_nothing_of_another_store_is_told_or_changed(caller: Caller, text: str) -> None:
    bench = make()
    before = [one for one in bench.certificates() if one.store == OTHER]
    outcome = dispatch(text.replace("{}", UNKNOWN), caller, desk_of(bench), "C1", PEOPLE)
    assert OTHER not in f"{outcome.reply} {outcome.data}"
    dispatch(text.replace("{}", OTHER), caller, desk_of(bench), "C1", PEOPLE)
    assert [one for one in bench.certificates() if one.store == OTHER] == before
    assert [link.who for link in linking.links_of(bench.desk, OTHER)] == [f"C_{OTHER}", f"T1/U_{OTHER}"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("role", Role)
def test_a_right_is_what_the_table_says(role: Role, text: str) -> None:
    command = next((one for one in COMMANDS if one.name == text.split(maxsplit=1)[0]), None)
    for store in (OWN, OTHER, UNKNOWN):
        bench = make()
        outcome = dispatch(text.replace("{}", store), CALLERS[role], desk_of(bench), f"C_{OWN}", PEOPLE)
        names_others = text.split(maxsplit=1)[0] in ("link", "links") and any(one in text for one in "@#")
        needed = {command.action if command is not None else Action.HELP} | (
            {Action.LINK} if names_others else set()
        )
        assert outcome.denied is not all(role in holders(action) for action in needed)


def test_their_own_store_is_told() -> None:
    for text in (
        "status {}",
        "status {}.test",
        "check {}.test",
        "history {}.test",
        "links {}",
        "renew {}.test",
    ):
        own, other = answer(text, MOON, OWN), answer(text, MOON, OTHER)
        assert own != other
        assert own.exit_code == 0
        assert other.exit_code == 1


def test_who_sees_all_stores_is_told_of_each() -> None:
    for caller in (CALLERS[Role.ADMIN], SUPPORT, CALLERS[Role.ONCALL], TERMINAL):
        for text in ("status {}", "status {}.test", "links {}"):
            assert answer(text, caller, OTHER) != answer(text, caller, UNKNOWN)


# --- clicks --------------------------------------------------------------------------------------------------------


def values(bench: Bench) -> Mapping[str, tuple[str, str]]:
    """Return for each family of clicks the value of another store's message, and one that leads nowhere."""
    theirs = bench.certificate(f"{OTHER}.test").id
    put(bench, replace(alert(), id="alert_1"))
    with bench.storage.write() as tx:
        tx.links.ask(LinkRequest("link_1", STRANGER.person, OTHER, "C1", bench.now), bench.now)
    unlink = {"kind": "person", "who": f"T1/U_{OTHER}", "store": OTHER, "stores": [OTHER]}
    end = bench.now + DAY
    with bench.storage.write() as tx:
        tx.proposals.add(
            Proposal("prop_1", "unlink", unlink, "T1/U_ADMIN", "admin", "C1", bench.now, end, Decider.SELF)
        )
        what = {"code": "dns.lame", "stores": [OTHER]}
        tx.jobs.add(Job("job_1", "renew", what, "T1/U_ADMIN", bench.now, 1), [])
    return {
        "alert": ("alert_1 4", "alert_0 4"),
        "certificate": (theirs, "cert_0"),
        "link": ("link_1", "link_0"),
        "home": (theirs, "cert_0"),
        "menu": ("-", "-"),
        "sheet": ("0", "30"),
        "approval": ("prop_1", "prop_0"),
        "store": (f"{OTHER}.test", f"{UNKNOWN}.test"),
        "bulk": ("job_1", "job_0"),
    }


def clicked(bench: Bench, action: str, value: str, caller: Caller, number: int) -> Any:
    """Click as a worker sees it; return the answer as Slack gets it."""
    value += " 1d" if action == "alert.snooze" else ""
    request = Request(
        f"req_{number}", f"{number}", "T1", "U1", "C1", f"{action} {value}", bench.now, kind="click"
    )
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    requests.perform(desk_of(bench), claimed, caller, PEOPLE)
    with bench.storage.read() as tx:
        # what came of a click in the Home tab is said there
        at_home = action.startswith("home.")
        message = tx.outbox.by_key(home.key(caller.person) if at_home else f"request:{request.id}")
    return None if message is None else (message.kind, message.private, json.dumps(message.body))


@pytest.mark.parametrize("action", CLICKS)
@pytest.mark.parametrize("caller", LIMITED, ids=lambda one: one.role)
def test_a_click_on_what_is_not_theirs_is_answered_like_one_on_nothing(caller: Caller, action: str) -> None:
    bench = make()
    theirs, nothing = values(bench)[action.partition(".")[0]]
    before = bench.certificates()
    found = clicked(bench, action, theirs, caller, 1)
    assert found == clicked(bench, action, nothing, caller, 2)
    assert OTHER not in found[2]
    assert bench.certificates() == before
    with bench.storage.read() as tx:
        request, seen, last = tx.links.request("link_1"), tx.alerts.get("alert_1"), tx.audit.last()
    assert request is not None
    assert request.decided_at is None
    assert seen is not None
    assert seen.version == 4
    assert last is None or last.result in ("refused", "failed")


@pytest.mark.parametrize("action", CLICKS)
@pytest.mark.parametrize("role", Role)
def test_a_click_needs_the_right_of_the_table(role: Role, action: str) -> None:
    bench = make()
    theirs, _ = values(bench)[action.partition(".")[0]]
    clicked(bench, action, theirs, CALLERS[role], 1)
    with bench.storage.read() as tx:
        last = tx.audit.last()
    refused = last is not None and last.result == "refused"
    assert refused is (role not in JUDGED.get(action.partition(".")[0], holders(CLICKS[action].action)))


JUDGED: Mapping[str, frozenset[Role]] = {
    # waits for the administrator who has asked
    "approval": frozenset({Role.ADMIN}),
    # is about a store that no merchant here sees
    "bulk": holders(Action.ALERTS),
}
"""Whose click on another store's counts where what was clicked judges it, beyond the table."""


def test_a_click_on_their_own_certificate_works() -> None:
    bench = make()
    mine = bench.certificate(f"{OWN}.test").id
    found = clicked(bench, "certificate.check", mine, MOON, 1)
    assert f"{OWN}.test" in found[2]
