"""A workspace's own alert channel: told of what is its merchants' to do, for the stores linked to it, and of nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.limits import violations
from bot.slack.render import render
from bot.slack.speech import Speech
from bot.text.language import Language, languages
from commands.dispatch import dispatch
from commands.messages import compose
from commands.workspace_endings import tell_ending
from services import linking
from services.alerting import merchants, rounds
from services.model.audiences import Kind
from services.model.findings import Owner
from services.model.lifecycle import State
from services.model.stores import Store
from services.model.workspaces import WorkspaceState, placed
from services.ports import Message
from tests.desks import MOON, STRANGER, SUPPORT, finding
from tests.unit.commands_world import alert, sighting
from tests.unit.test_workspaces import ELSEWHERE, THERE, Slack, World

NAMES = {"moon": "shop.moon.test", "sun": "shop.sun.test"}
ALERTS = placed(THERE, "C0ALERTS")
NOTIFY = f"notify workspace {THERE}"


@pytest.fixture
def world() -> Iterator[World]:
    api = Slack()
    made = World(api)
    made.link(Kind.WORKSPACE, THERE, "moon")
    made.link(Kind.WORKSPACE, ELSEWHERE, "sun")
    assert dispatch(f"{NOTIFY} C0ALERTS", SUPPORT, made.desk).exit_code == 0
    yield made
    api.stop()


def trouble(world: World, *stores: str, owner: Owner = Owner.MERCHANT) -> None:
    """Put an alert of these stores that is to be told of, and tend it."""
    first = finding("dns.not_hosted", NAMES[stores[0]])
    made = alert(
        "dns.not_hosted", first.name, owner=owner, lead=first, said=None, version=0, due_at=world.bench.now
    )
    for store in stores:
        name = NAMES[store]
        dispatch(f"add {name}", SUPPORT, world.desk)
        found = finding("dns.not_hosted", name)
        row = world.bench.change(name, [found], state=State.BLOCKED, problem=found)
        member = sighting(made, certificate=row.id, store=store, name=name)
        with world.storage.write() as tx:
            tx.alerts.add(made)
            tx.alerts.put_sighting(member)
    assert rounds.tend_due(world.desk) == 1


def told(world: World) -> dict[str, Message]:
    """Return what is owed to channels: channel -> message to a merchant."""
    rows = world.storage._committed.outbox.values()  # type: ignore[attr-defined]
    return {row.owed_to: row for row in rows if row.kind == merchants.ALERT}


def test_what_is_the_merchants_is_told_in_the_alert_channel_with_that_workspaces_token(world: World) -> None:
    trouble(world, "moon")
    assert set(told(world)) == {ALERTS}
    calls = world.deliver()
    assert ("chat.postMessage", f"xoxb-{THERE}") in calls
    assert ("chat.postMessage", "xoxb-home") in calls  # the platform's people, as ever
    [post] = [
        body for name, body in world.api.calls if name == "chat.postMessage" and body["channel"] == "C0ALERTS"
    ]
    assert "Please do this" in str(post)


def test_a_channel_that_is_linked_as_well_is_told_once(world: World) -> None:
    world.link(Kind.CHANNEL, ALERTS, "moon")
    world.link(Kind.CHANNEL, "C0HOME", "moon")
    trouble(world, "moon")
    assert set(told(world)) == {ALERTS, "C0HOME"}


@pytest.mark.parametrize("stores", [("sun",), ("moon", "sun")])
def test_another_workspaces_stores_are_not_told_there(world: World, stores: tuple[str, ...]) -> None:
    trouble(world, *stores)
    assert told(world) == {}


def test_what_is_the_platforms_to_mend_stays_with_its_people(world: World) -> None:
    trouble(world, "moon", owner=Owner.PLATFORM)
    assert told(world) == {}


def test_what_was_told_is_shown_no_more_once_the_store_is_linked_there_no_more(world: World) -> None:
    trouble(world, "moon")
    linking.unlink(world.desk, Kind.WORKSPACE, THERE, "moon")
    assert "not for this channel any more" in str(compose(world.desk, told(world)[ALERTS]).reply)


def test_a_channel_there_that_was_linked_by_itself_is_told_no_more_either(world: World) -> None:
    """Support takes the workspace's link back, and is told that nobody sees the store there any more."""
    room = placed(THERE, "C0ROOM")
    world.link(Kind.CHANNEL, room, "moon")
    world.link(Kind.CHANNEL, "C0ROOM", "moon")  # of the support workspace, by the same id
    trouble(world, "moon")
    assert set(told(world)) == {room, "C0ROOM", ALERTS}
    linking.unlink(world.desk, Kind.WORKSPACE, THERE, "moon")
    with world.storage.read() as tx:
        assert merchants.channels_of(tx, "moon") == ("C0ROOM",)
    before = len(world.api.calls)
    world.deliver()
    sent = [str(body) for name, body in world.api.calls[before:] if name.startswith("chat.")]
    assert len([one for one in sent if "Please do this" in one]) == 1
    # what was not sent yet is not sent, nor that there was something
    assert not [one for one in sent if "C0ALERTS" in one or "not for this channel" in one]
    assert ("chat.postMessage", f"xoxb-{THERE}") not in world.api.tokens


@pytest.mark.parametrize("away", ["workspace", "channel", "another store", "another channel"])
def test_what_stands_there_already_is_hidden_at_once(world: World, away: str) -> None:
    """Whoever reads there by then, such as the next store's people, reads it no more."""
    room = ALERTS if away in ("workspace", "another channel") else "C0ROOM"
    world.link(Kind.CHANNEL, "C0ROOM", "moon")
    trouble(world, "moon")
    world.deliver()
    assert told(world)[room].ts
    if away == "workspace":
        linking.unlink(world.desk, Kind.WORKSPACE, THERE, "moon")
    elif away == "channel":
        linking.unlink(world.desk, Kind.CHANNEL, room, "moon")
    elif away == "another store":
        world.link(Kind.CHANNEL, room, "sun")
    else:
        linking.tell_in(world.desk, THERE, "C0OTHER")
    assert [method for method, _ in world.deliver()] == ["chat.update"]
    assert "not for this channel any more" in world.said()


def test_what_was_told_is_shown_no_more_where_another_channel_was_chosen(world: World) -> None:
    trouble(world, "moon")
    dispatch(f"{NOTIFY} C0OTHER", SUPPORT, world.desk)
    assert "not for this channel any more" in str(compose(world.desk, told(world)[ALERTS]).reply)
    dispatch(f"{NOTIFY} none", SUPPORT, world.desk)
    with world.storage.read() as tx:
        assert merchants.channels_of(tx, "moon") == ()


@pytest.mark.parametrize("state", [WorkspaceState.UNINSTALLED, WorkspaceState.REVOKED])
def test_where_certdesk_is_gone_it_falls_back_to_support_and_is_edited_there_until_it_heals(
    world: World, state: WorkspaceState
) -> None:
    with world.storage.write() as tx:
        assert tx.workspaces.leave(THERE, state, world.bench.now)
    trouble(world, "moon")
    world.deliver()
    fallen = told(world)[ALERTS]
    assert (fallen.team, fallen.channel, fallen.origin) == ("", "C_SUPPORT", ALERTS)
    assert {token for _, token in world.api.tokens} == {"xoxb-home"}
    [post] = [
        body for name, body in world.api.calls if name == "chat.postMessage" and "Please do this" in str(body)
    ]
    assert post["channel"] == "C_SUPPORT"
    assert "C0ALERTS" in str(post)
    world.install(THERE)  # what is new goes there again; the choice was kept
    with world.storage.read() as tx:
        assert merchants.channels_of(tx, "moon") == (ALERTS,)


def test_a_token_that_is_refused_is_the_same(world: World) -> None:
    world.api.refused[f"xoxb-{THERE}"] = "token_revoked"
    trouble(world, "moon")
    world.deliver()
    assert world.state() is WorkspaceState.REVOKED
    assert told(world)[ALERTS].channel == "C_SUPPORT"


def test_it_is_told_in_the_language_that_all_stores_of_the_workspace_have(world: World) -> None:
    speech = Speech(world.storage, lambda _: "", lambda _: None)
    with world.storage.write() as tx:
        tx.stores.put(Store("moon", locale="ko-KR"))
        tx.stores.put(Store("sun", locale="ja"))
    assert speech.in_channel(ALERTS).code == "ko"
    assert speech.in_channel(placed(ELSEWHERE, "C1")).code == "ja"
    assert speech.in_channel("C0ALERTS").code == "en"  # the same id here is another channel
    world.link(Kind.WORKSPACE, THERE, "sun")
    assert speech.in_channel(ALERTS).code == "en"


# --- the command -----------------------------------------------------------------------------------------------------


def said(world: World, text: str) -> tuple[int, Any, str]:
    done = dispatch(text, SUPPORT, world.desk)
    return done.exit_code, done.data, str(done.reply)


def test_support_shows_chooses_and_takes_back(world: World) -> None:
    code, data, reply = said(world, NOTIFY)
    assert (code, data) == (0, {"workspace": THERE, "channel": "C0ALERTS"})
    assert "moon" in reply
    assert "sun" not in reply
    for word in ("C0OTHER", f"{THERE}/C0OTHER", "#C0OTHER"):
        assert said(world, f"{NOTIFY} {word}")[:2] == (0, {"workspace": THERE, "channel": "C0OTHER"})
    assert said(world, f"{NOTIFY} none")[1] == {"workspace": THERE, "channel": None}
    assert "nothing was changed" in said(world, f"{NOTIFY} none")[2]


@pytest.mark.parametrize(
    "text", ["notify", "notify moon", "notify C0ALERTS", f"{NOTIFY} a b", f"{NOTIFY} moon"]
)
def test_what_is_no_workspace_or_no_channel_of_it_is_said(world: World, text: str) -> None:
    assert said(world, text)[0] == 2


@pytest.mark.parametrize("word", ["<#C0000001|general>", f"{ELSEWHERE}/C0ALERTS", "<@U0000001>", "U0000001"])
def test_a_channel_of_another_workspace_is_refused(world: World, word: str) -> None:
    code, _, reply = said(world, f"{NOTIFY} {word}")
    assert code == 2
    assert "is no channel of the workspace" in reply


def test_a_workspace_without_certdesk_is_said_to_be_one(world: World) -> None:
    for text in ("notify workspace T9NONE", "notify workspace T9NONE C0ALERTS"):
        code, _, reply = said(world, text)
        assert code == 1
        assert "not installed in the workspace {team}, so nothing was changed." in reply
        assert "/slack/install" in reply


@pytest.mark.parametrize("caller", [MOON, STRANGER])
def test_merchants_may_not(world: World, caller: Any) -> None:
    answers = {
        str(dispatch(f"notify workspace {team} C0EVIL", caller, world.desk).reply).replace(team, "TEAM")
        for team in (THERE, "T9NONE")
    }
    assert len(answers) == 1
    assert said(world, NOTIFY)[1]["channel"] == "C0ALERTS"


# --- what may be sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", languages(), ids=lambda one: one.code)
def test_what_is_told_of_an_end_may_be_sent_in_every_language(world: World, language: Language) -> None:
    link = "https://certdesk.test/slack/install"
    with world.storage.write() as tx:
        first = tx.workspaces.get(THERE)
        assert first is not None
        ending = tx.workspaces.install(replace(first, expires_at=world.bench.now + timedelta(hours=5)))
        tell_ending(tx, world.desk, ending, THERE, link, world.bench.now)
    shown = _endings(world, language)
    assert len(shown) == 2
    assert all(link in one for one in shown)
    with world.storage.write() as tx:
        assert tx.workspaces.leave(THERE, WorkspaceState.REVOKED, world.bench.now + timedelta(days=1))
    over = _endings(world, language)
    assert over != shown
    world.install(THERE)
    assert _endings(world, language) not in (shown, over)


def _endings(world: World, language: Language) -> list[str]:
    """Return what is told of an end at this moment, which Slack has to take."""
    rows = world.storage._committed.outbox.values()  # type: ignore[attr-defined]
    drawn = [
        render(compose(world.desk, row).reply, "/ssl", language=language)
        for row in rows
        if row.kind == "workspace_ending"
    ]
    for one in drawn:
        assert violations(one.text, one.blocks) == []
    return [str(one.blocks) for one in drawn]
