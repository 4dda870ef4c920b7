"""What is known of a channel: what Slack says of it and of who is in it, kept for a while; failures hide."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.slack.clients import asking_client
from bot.slack.identity import Identity
from bot.slack.kept import FAILURE_KEPT
from bot.slack.rooms import MOST_READERS, SlackRooms
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from commands.caller import Caller, Doubt, Role
from commands.hearing import UNSEEN, Room
from tests.unit.slack_connect import HOST, channel_info, external, member
from tests.unit.slack_world import FakeClock, SlackApi, no, ok


class World:
    """A workspace with one channel, and the people in it."""

    def __init__(self, api: SlackApi) -> None:
        self.api, self.clock = api, FakeClock()
        api.tell("auth.test", ok(team_id=HOST))
        api.tell("usergroups.users.list", ok(users=[]))
        self.channel(is_private=True)
        self.members("U1", "U2")
        api.tell("users.info", ok(user=member("U")))
        settings = SlackSettings(
            api_url=api.url,
            bot_token="xoxb-1",
            roles={Role.SUPPORT: ("U1",)},
            merchants={"U2": ("moon",)},
            staff_channels=frozenset({"C_STAFF"}),
        )
        client = asking_client(settings)
        identity = Identity(client, settings, self.clock)
        self.rooms = SlackRooms(alone(client), settings, identity.reader, self.clock)

    def channel(self, **facts: Any) -> None:
        self.api.tell("conversations.info", ok(channel=channel_info("C1", **facts)))

    def members(self, *users: str, cursor: str = "") -> None:
        said = ok(members=list(users), response_metadata={"next_cursor": cursor})
        self.api.tell("conversations.members", said)

    def room(self, channel: str = "C1") -> Room:
        return self.rooms.room(channel)


@pytest.fixture
def world() -> Iterator[World]:
    api = SlackApi()
    yield World(api)
    api.stop()


def test_a_private_channel_is_known_with_who_is_in_it(world: World) -> None:
    support = Caller(f"{HOST}/U1", Role.SUPPORT, None)
    merchant = Caller(f"{HOST}/U2", Role.MERCHANT, frozenset({"moon"}))
    assert world.room() == Room(known=True, readers=(support, merchant))


@pytest.mark.parametrize(
    "facts",
    [
        {"is_ext_shared": True, "is_shared": True},
        {"is_pending_ext_shared": True},
        {"is_shared": True},
        {"is_shared": True, "is_org_shared": False},
        {"pending_shared": ["T9"]},
        {"pending_connected_team_ids": ["T9"]},
    ],
)
def test_a_channel_that_others_share_or_are_about_to_is_external(world: World, facts: dict[str, Any]) -> None:
    world.channel(is_private=True, **facts)
    assert world.room() == Room(known=True, shared=True)
    assert "conversations.members" not in world.api.methods


def test_a_channel_that_workspaces_of_one_organisation_share_is_not(world: World) -> None:
    world.channel(is_private=True, is_shared=True, is_org_shared=True)
    assert not world.room().shared


def test_who_is_in_a_public_channel_says_nothing_about_who_can_read_it(world: World) -> None:
    world.channel()
    assert world.room() == Room(known=True, public=True)
    assert "conversations.members" not in world.api.methods


@pytest.mark.parametrize("facts", [{"is_mpim": True, "is_private": True}, {"is_group": True}])
def test_a_conversation_of_several_is_a_private_channel(world: World, facts: dict[str, Any]) -> None:
    world.channel(**facts)
    assert len(world.room().readers or ()) == 2


def test_a_direct_message_is_one(world: World) -> None:
    world.channel(is_im=True)
    assert world.room() == Room(known=True, direct=True)


def test_a_channel_of_staff_is_named_by_the_settings_and_still_looked_at(world: World) -> None:
    world.channel()
    assert world.room("C_STAFF") == Room(known=True, public=True, staff=True)
    world.clock.advance(minutes=5)
    world.channel(is_ext_shared=True)
    assert world.room("C_STAFF") == Room(known=True, shared=True, public=True, staff=True)


@pytest.mark.parametrize(
    "failure", [no("missing_scope"), no("channel_not_found"), (503, {}, "Bad gateway"), ok(channel=None)]
)
def test_a_channel_that_cannot_be_looked_up_is_unknown_for_a_moment(world: World, failure: Any) -> None:
    world.api.tell("conversations.info", failure)
    assert world.room() == UNSEEN
    world.channel(is_private=True)
    assert world.room() == UNSEEN
    world.clock.advance(seconds=FAILURE_KEPT.total_seconds())
    assert world.room().known


@pytest.mark.parametrize("failure", [no("missing_scope"), no("fetch_members_failed"), ok()])
def test_members_that_cannot_be_had_are_not_known(world: World, failure: Any) -> None:
    world.api.tell("conversations.members", failure)
    assert world.room() == Room(known=True, readers=None)


def test_more_people_than_are_looked_at_are_not_known(world: World) -> None:
    world.members(*(f"U{number}" for number in range(MOST_READERS + 1)))
    assert world.room().readers is None
    world.clock.advance(minutes=5)
    world.members("U1", cursor="dXNlcjpVMDYx")
    assert world.room().readers is None
    assert "users.info" not in world.api.methods


def test_bots_read_for_nobody_and_who_cannot_be_looked_up_is_nobody(world: World) -> None:
    world.members("U_BOT")
    world.api.tell("users.info", ok(user=member("U_BOT") | {"is_bot": True}))
    assert world.room().readers == ()
    world.clock.advance(minutes=5)
    world.api.tell("users.info", no("user_not_visible"))
    assert world.room().readers == (Caller("/U_BOT", Role.NOBODY, doubt=Doubt.PERSON),)


def test_a_reader_of_another_organisation_is_who_they_are_there(world: World) -> None:
    world.members("U1")
    world.api.tell("users.info", ok(user=external("U1")))
    assert [one.role for one in world.room().readers or ()] == [Role.NOBODY]


def test_slack_is_asked_once_in_a_while(world: World) -> None:
    for _ in range(10):
        world.room()
    counted = {method: world.api.methods.count(method) for method in set(world.api.methods)}
    assert counted == {
        "conversations.info": 1,
        "conversations.members": 1,
        "users.info": 2,
        "auth.test": 1,
    }
