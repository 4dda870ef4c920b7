"""Only who surely is one of us gets a staff role; in doubt a person is nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.slack.clients import asking_client
from bot.slack.identity import Identity
from bot.slack.kept import FAILURE_KEPT
from bot.slack.settings import SlackSettings
from commands.caller import Caller, Doubt, Role
from services.model.audiences import Kind, Link
from services.model.stores import Store
from services.ports import Request
from storage.memory import MemoryStorage
from tests.unit.slack_world import NOW, Answer, FakeClock, SlackApi, no, ok

ROLES = {Role.ADMIN: ("U1",), Role.SUPPORT: ("S1", "U2"), Role.ONCALL: ("S2",)}
MERCHANTS = {"U1": ("mars",), "U5": ("moon", "sun"), "T9/U6": ("mars",), "T0/U7": ("moon",)}


@dataclass
class World:
    """A workspace T0 of the enterprise E0, and who it says people are."""

    api: SlackApi
    clock: FakeClock

    def __post_init__(self) -> None:
        self.api.tell("auth.test", ok(team_id="T0", enterprise_id="E0"))
        self.api.tell("usergroups.users.list", ok(users=[]))
        self.user()

    def user(self, **facts: Any) -> None:
        self.api.tell("users.info", ok(user={"id": "U1", "team_id": "T0", "locale": "ko-KR"} | facts))

    def settings(self, **settings: Any) -> SlackSettings:
        return SlackSettings(
            **{"api_url": self.api.url, "bot_token": "xoxb-1", "roles": ROLES, "merchants": MERCHANTS}
            | settings
        )

    def identity(self, **settings: Any) -> Identity:
        chosen = self.settings(**settings)
        return Identity(asking_client(chosen), chosen, self.clock)

    def caller(self, user: str = "U1", team: str = "T0") -> Caller:
        return self.identity().caller(asked(user, team))


def asked(user: str = "U1", team: str = "T0") -> Request:
    return Request("req_1", "d", team, user, "C1", "status", NOW)


@pytest.fixture
def world() -> Iterator[World]:
    api = SlackApi()
    yield World(api, FakeClock())
    api.stop()


@pytest.mark.parametrize(("user", "role"), [("U1", Role.ADMIN), ("U2", Role.SUPPORT), ("U9", Role.NOBODY)])
def test_listed_people_have_their_role(world: World, user: str, role: Role) -> None:
    caller = world.caller(user)
    assert caller.person == f"T0/{user}"
    assert caller.role is role
    assert caller.stores == (frozenset() if role is Role.NOBODY else None)


def test_a_group_gives_its_role_to_its_members(world: World) -> None:
    world.api.tell("usergroups.users.list", ok(users=["U3", "U4"]))
    assert world.caller("U3").role is Role.SUPPORT
    assert world.api.asked("usergroups.users.list")[0]["usergroup"] == "S1"


def test_a_group_that_cannot_be_read_gives_nothing_and_is_said(world: World) -> None:
    world.api.tell("usergroups.users.list", no("missing_scope"))
    assert world.caller("U3") == Caller("T0/U3", Role.NOBODY, doubt=Doubt.GROUPS)
    assert world.caller("U2") == Caller("T0/U2", Role.SUPPORT, None)
    assert world.caller("U5") == Caller("T0/U5", Role.MERCHANT, frozenset({"moon", "sun"}), Doubt.GROUPS)


def test_a_group_that_does_not_exist_has_nobody_in_it_and_leaves_no_doubt(world: World) -> None:
    world.api.tell("usergroups.users.list", no("no_such_subteam"))
    assert world.caller("U3") == Caller("T0/U3", Role.NOBODY)


def test_who_is_no_member_of_ours_is_not_looked_for_in_groups(world: World) -> None:
    world.api.tell("usergroups.users.list", no("missing_scope"))
    for facts in ({"is_restricted": True}, {"team_id": "T9"}):
        world.user(**facts)
        assert world.caller("U3").doubt is Doubt.NONE
    assert "usergroups.users.list" not in world.api.methods


@pytest.mark.parametrize(
    "facts",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_stranger": True},
        {"team_id": "T9"},
        {"is_bot": True},
        {"is_workflow_bot": True},
        {"deleted": True},
        {"team_id": "T9", "enterprise_user": {"enterprise_id": "E9"}},
    ],
)
def test_who_is_not_one_of_us_gets_no_staff_role_even_if_listed(world: World, facts: dict[str, Any]) -> None:
    world.user(**facts)
    caller = world.caller("U1")
    assert caller.role in (Role.NOBODY, Role.MERCHANT)
    assert caller.stores is not None


def test_a_person_of_another_workspace_of_our_enterprise_is_one_of_us(world: World) -> None:
    world.user(team_id="T8", enterprise_user={"enterprise_id": "E0"})
    assert world.caller("U1", "T8").role is Role.ADMIN


def test_a_request_that_names_another_team_than_the_person_is_not_ours(world: World) -> None:
    assert world.caller("U1", "T9").role is Role.NOBODY


@pytest.mark.parametrize(
    "failure",
    [
        no("user_not_found"),
        no("ratelimited", 429, Retry_After="1"),
        (503, {}, "Bad gateway"),
        (200, {}, "<html>"),
    ],
)
def test_a_look_up_that_fails_gives_no_rights(world: World, failure: Answer) -> None:
    world.api.tell("users.info", failure)
    assert world.caller("U1") == Caller("T0/U1", Role.NOBODY, doubt=Doubt.PERSON)


def test_without_knowing_our_own_team_nobody_is_ours(world: World) -> None:
    world.api.tell("auth.test", no("invalid_auth"))
    assert world.caller("U1").role is Role.NOBODY


def test_without_a_connection_nobody_is_ours(world: World) -> None:
    identity = world.identity(api_url="http://127.0.0.1:9/api/")
    assert identity.caller(asked()).role is Role.NOBODY


def test_answers_are_kept_and_failures_only_for_a_moment(world: World) -> None:
    world.api.tell("users.info", no("fatal_error"), ok(user={"id": "U1", "team_id": "T0"}))
    identity = world.identity()
    assert [identity.caller(asked()).role for _ in range(3)] == [Role.NOBODY] * 3
    assert len(world.api.asked("users.info")) == 1
    world.clock.advance(seconds=FAILURE_KEPT.total_seconds())
    assert [identity.caller(asked()).role for _ in range(3)] == [Role.ADMIN] * 3
    assert len(world.api.asked("users.info")) == 2
    world.user(deleted=True)
    world.clock.advance(minutes=5)
    assert identity.caller(asked()).role is Role.NOBODY


def test_a_merchant_sees_their_stores(world: World) -> None:
    world.user(is_restricted=True)  # merchants are often guests
    assert world.caller("U5") == Caller("T0/U5", Role.MERCHANT, frozenset({"moon", "sun"}))
    assert world.caller("U7").stores == frozenset({"moon"})


def test_a_merchant_of_another_workspace_is_listed_with_their_team(world: World) -> None:
    world.user(team_id="T9")
    assert world.caller("U6", "T9") == Caller("T9/U6", Role.MERCHANT, frozenset({"mars"}))
    assert world.caller("U5", "T9").role is Role.NOBODY  # U5 is another person there


def test_the_readers_language_is_known(world: World) -> None:
    identity = world.identity()
    assert identity.locale("U1") == "ko-KR"
    assert world.api.asked("users.info")[0]["include_locale"] == "1"
    world.api.tell("users.info", no("user_not_found"))
    assert identity.locale("U2") == ""


# --- links ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def linked() -> MemoryStorage:
    """Return a storage where two people of two workspaces are linked to the store venus."""
    storage = MemoryStorage()
    with storage.write() as tx:
        tx.stores.put(Store("venus"))
        for who in ("T0/U5", "T9/U6"):
            assert tx.links.put(Link(Kind.PERSON, who, "venus", "T0/U2", NOW))
    return storage


def test_links_add_to_what_the_settings_say(world: World, linked: MemoryStorage) -> None:
    identity = Identity(asking_client(world.settings()), world.settings(), world.clock, storage=linked)
    assert identity.caller(asked("U5")).stores == frozenset({"moon", "sun", "venus"})


def test_a_link_holds_at_once_and_ends_at_once(world: World, linked: MemoryStorage) -> None:
    identity = Identity(asking_client(world.settings()), world.settings(), world.clock, storage=linked)
    assert identity.caller(asked("U8")).role is Role.NOBODY
    with linked.write() as tx:
        tx.links.put(Link(Kind.PERSON, "T0/U8", "venus", "T0/U2", NOW))
    assert identity.caller(asked("U8")) == Caller("T0/U8", Role.MERCHANT, frozenset({"venus"}))
    with linked.write() as tx:
        tx.links.drop(Kind.PERSON, "T0/U8", "venus")
    assert identity.caller(asked("U8")).role is Role.NOBODY


@pytest.mark.parametrize("team", ["T9", "T0"])
def test_a_link_goes_by_the_persons_own_workspace(world: World, linked: MemoryStorage, team: str) -> None:
    """Whatever workspace the request names: in a shared channel it may be the host's."""
    world.user(team_id="T9")
    identity = Identity(asking_client(world.settings()), world.settings(), world.clock, storage=linked)
    assert identity.caller(asked("U6", team)) == Caller("T9/U6", Role.MERCHANT, frozenset({"mars", "venus"}))
    assert identity.caller(asked("U5", team)).role is Role.NOBODY  # U5 is another person there


def test_a_link_of_who_cannot_be_looked_up_gives_nothing(world: World, linked: MemoryStorage) -> None:
    world.api.tell("users.info", no("user_not_found"))
    identity = Identity(asking_client(world.settings()), world.settings(), world.clock, storage=linked)
    assert identity.caller(asked("U5")) == Caller("T0/U5", Role.NOBODY, doubt=Doubt.PERSON)


def test_a_link_gives_staff_no_less(world: World, linked: MemoryStorage) -> None:
    with linked.write() as tx:
        tx.links.put(Link(Kind.PERSON, "T0/U2", "venus", "T0/U1", NOW))
    identity = Identity(asking_client(world.settings()), world.settings(), world.clock, storage=linked)
    assert identity.caller(asked("U2")) == Caller("T0/U2", Role.SUPPORT, None)


def test_a_person_is_named_by_their_own_workspace(world: World) -> None:
    world.user(team_id="T9")
    assert world.identity().named("U6") == "T9/U6"


@pytest.mark.parametrize("facts", [{"is_bot": True}, {"deleted": True}])
def test_who_is_no_living_person_has_no_name(world: World, facts: dict[str, Any]) -> None:
    world.user(**facts)
    assert world.identity().named("U6") is None


def test_who_cannot_be_looked_up_has_no_name(world: World) -> None:
    world.api.tell("users.info", no("user_not_found"))
    assert world.identity().named("U6") is None
