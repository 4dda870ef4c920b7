"""Links that are shared: what they lead to, with the sharer's rights, where everybody may hear it; else nothing at all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.slack.clients import asking_client
from bot.slack.intake import Intake
from bot.slack.limits import violations
from bot.slack.manifest import LINK_SCOPES, manifest
from bot.slack.payloads import NotOursError, shared
from bot.slack.screens import SlackScreens
from bot.slack.settings import SlackSettings
from commands import requests
from commands.caller import Caller
from commands.dispatch import dispatch
from commands.hearing import UNSEEN, Room
from services.ports import Request
from tests.desks import MOON, STRANGER, SUPPORT, Bench
from tests.unit.commands_world import DAY, desk_of
from tests.unit.isolation_world import OTHER, OWN, Seen, world
from tests.unit.slack_connect import OTHER as ELSEWHERE
from tests.unit.slack_connect import link_shared
from tests.unit.slack_world import FakeClock, FakeStorage, SlackApi, no, ok

HOST = "certdesk.example.test"
STAFF_ONLY = Room(known=True, staff=True)
WITH_MOON = Room(known=True, readers=(SUPPORT, MOON))
NAME = f"https://{HOST}/certificates/{OWN}.test"


class Place(Seen):
    """Keeps what was shown, in a channel as a test wants it."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.known = room

    def room(self, _channel: str) -> Room:
        return self.known


@pytest.fixture
def bench() -> Bench:
    return world()


def share(bench: Bench, caller: Caller, room: Room, *links: str, channel: str = "C1") -> list[Any]:
    """Share links as the intake writes it down; return what is shown."""
    form = {"links": list(links), "unfurl_id": "u", "source": "conversations_history"}
    request = Request("req_1", "Ev1", "T1", "U1", channel, "", bench.now, kind="links", form=form)
    with bench.storage.write() as tx:
        assert tx.requests.add(request)
        [claimed] = tx.requests.claim(bench.now, DAY, 10)
    place = Place(room)
    requests.perform(desk_of(bench), claimed, caller, screens=place, rooms=place)
    with bench.storage.read() as tx:
        done, message = tx.requests.get("req_1"), tx.outbox.by_key("request:req_1")
    assert done is not None
    assert done.done_at is not None
    assert message is None  # nobody asked certdesk anything
    return place.shown


def test_a_link_shows_what_the_command_of_the_same_meaning_shows(bench: Bench) -> None:
    [shown] = share(bench, SUPPORT, STAFF_ONLY, NAME)
    assert shown == dispatch(f"status {OWN}.test", SUPPORT, desk_of(bench)).reply
    bench = world()
    [shown] = share(bench, SUPPORT, STAFF_ONLY, f"https://{HOST}/alerts/alert_{OWN}")
    assert shown == dispatch(f"alerts alert_{OWN}", SUPPORT, desk_of(bench)).reply


def test_a_merchant_shows_what_is_theirs_among_those_whose_it_is(bench: Bench) -> None:
    [shown] = share(bench, MOON, WITH_MOON, NAME)
    assert f"{OWN}.test" in str(shown)


@pytest.mark.parametrize("path", [f"certificates/{OTHER}.test", "certificates/nobodys.test", f"alerts/alert_{OWN}", "alerts/alert_0"])  # fmt: skip
@pytest.mark.parametrize("caller", [MOON, STRANGER])
def test_what_is_not_the_sharers_shows_nothing(bench: Bench, caller: Caller, path: str) -> None:
    assert share(bench, caller, STAFF_ONLY, f"https://{HOST}/{path}") == []


@pytest.mark.parametrize(
    "room",
    [
        UNSEEN,
        Room(known=True, public=True),
        Room(known=True, staff=True, shared=True),
        Room(known=True, readers=(SUPPORT, STRANGER)),
        Room(known=True, readers=None),
    ],
)
@pytest.mark.parametrize("caller", [SUPPORT, MOON])
def test_where_not_everybody_may_hear_it_nothing_is_shown(bench: Bench, caller: Caller, room: Room) -> None:
    assert share(bench, caller, room, NAME) == []


def test_of_several_links_each_is_judged_by_itself(bench: Bench) -> None:
    theirs = f"https://{HOST}/certificates/{OTHER}.test"
    assert len(share(bench, SUPPORT, WITH_MOON, NAME, theirs)) == 1


@pytest.mark.parametrize(
    "path",
    ["", "certificates", "certificates/", "certificates/a/b", "alerts/1", "admin/x", "certificates/--csr", "certificates/moon", "certificates/%00", "certificates/a%2Fb.test"],
)  # fmt: skip
def test_what_leads_nowhere_shows_nothing(bench: Bench, path: str) -> None:
    assert share(bench, SUPPORT, STAFF_ONLY, f"https://{HOST}/{path}", "https://[", "x") == []


# --- at the edge -----------------------------------------------------------------------------------------------------


def test_a_shared_link_is_written_down_as_its_sharers() -> None:
    storage = FakeStorage()
    intake = Intake(storage.port, FakeClock(), lambda: None)
    body = link_shared("U1", ELSEWHERE, NAME, "https://elsewhere.test/certificates/x.test")
    assert intake.links(body, HOST)
    assert not intake.links(body, HOST)
    [row] = storage.requests.rows.values()
    assert (row.kind, row.team, row.user, row.channel) == ("links", ELSEWHERE, "U1", "C0SHARED")
    assert row.form["links"] == [NAME]


@pytest.mark.parametrize("domain", ["", "other.test"])
def test_links_to_other_domains_are_not_ours(domain: str) -> None:
    with pytest.raises(NotOursError):
        shared(link_shared("U1", "T0", NAME), domain)


def test_a_link_that_is_still_being_written_is_shown_to_nobody() -> None:
    body = link_shared("U1", "T0", NAME)
    body["event"] |= {"source": "composer", "channel": "COMPOSER"}
    with pytest.raises(NotOursError):
        shared(body, HOST)


@pytest.fixture
def api() -> Iterator[SlackApi]:
    api = SlackApi()
    yield api
    api.stop()


@pytest.mark.parametrize(("answer", "taken"), [(ok(), True), (no("cannot_unfurl_url"), False)])
def test_slack_is_told_once_for_all_links_of_a_message(
    api: SlackApi, bench: Bench, answer: Any, taken: bool
) -> None:
    api.tell("chat.unfurl", answer)
    client = asking_client(SlackSettings(api_url=api.url, bot_token="xoxb-1"))
    form = {"links": [NAME], "unfurl_id": "C1.5.1.a", "source": "conversations_history"}
    request = Request("req_1", "Ev1", "T1", "U1", "C1", "", bench.now, kind="links", form=form)
    reply = dispatch(f"status {OWN}.test", SUPPORT, desk_of(bench)).reply
    assert SlackScreens(lambda _workspace: client).unfurl(request, {NAME: reply}) is taken
    [asked] = api.asked("chat.unfurl")
    assert (asked["unfurl_id"], asked["source"]) == ("C1.5.1.a", "conversations_history")
    given = asked["unfurls"] if isinstance(asked["unfurls"], dict) else json.loads(asked["unfurls"])
    assert list(given) == [NAME]
    assert violations("x", given[NAME]["blocks"]) == []


def test_the_manifest_asks_for_links_only_where_they_are_shown() -> None:
    plain, linked = manifest(SlackSettings()), manifest(SlackSettings(link_domain=HOST))
    assert "unfurl_domains" not in plain["features"]
    assert "link_shared" not in plain["settings"]["event_subscriptions"]["bot_events"]
    assert linked["features"]["unfurl_domains"] == [HOST]
    assert "link_shared" in linked["settings"]["event_subscriptions"]["bot_events"]
    assert set(LINK_SCOPES) <= set(linked["oauth_config"]["scopes"]["bot"])
    assert not set(LINK_SCOPES) & set(plain["oauth_config"]["scopes"]["bot"])
    assert replace(SlackSettings(), link_domain="x").link_domain == "x"
