"""Slack Connect: the caller is the person's own workspace and id, whatever kind of payload brings them."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.slack.clients import asking_client
from bot.slack.identity import Identity
from bot.slack.intake import Intake
from bot.slack.payloads import sender, team_of_event
from bot.slack.settings import SlackSettings
from commands.caller import Caller, Doubt, Role
from services.ports import Request
from tests.unit import slack_connect as connect
from tests.unit.slack_connect import HOST, OTHER, PAYLOADS
from tests.unit.slack_world import FakeClock, FakeStorage, SlackApi, no, ok

USER = "U0000001"
"""The same id is of one person in the host's workspace, and of another one in the other organisation's."""
ROLES = {Role.ADMIN: (USER,), Role.SUPPORT: ("S1",), Role.ONCALL: (f"{OTHER}/{USER}",)}
MERCHANTS = {USER: ("moon",), f"{OTHER}/{USER}": ("sun",)}
MERCHANT_HERE = Caller(f"{HOST}/{USER}", Role.MERCHANT, frozenset({"moon"}))
MERCHANT_THERE = Caller(f"{OTHER}/{USER}", Role.MERCHANT, frozenset({"sun"}))


@pytest.fixture
def api() -> Iterator[SlackApi]:
    api = SlackApi()
    api.tell("auth.test", ok(team_id=HOST))
    api.tell("usergroups.users.list", ok(users=[USER]))  # a group that an external was put into, too
    yield api
    api.stop()


def request_of(kind: str, body: dict[str, Any]) -> Request:
    """Take the payload in as the listener does, and return the row."""
    storage = FakeStorage()
    intake = Intake(storage.port, FakeClock(), lambda: None)
    take = {"command": intake.take, "click": intake.click, "submission": intake.submit, "home": intake.home}
    assert take[kind](body)
    [row] = storage.requests.rows.values()
    assert row.kind == kind
    return row


def caller(api: SlackApi, kind: str, user: dict[str, Any], team: str) -> Caller:
    """Return who asks with a payload of the kind, of whom users.info says ``user``."""
    api.tell("users.info", ok(user=user))
    settings = SlackSettings(api_url=api.url, bot_token="xoxb-1", roles=ROLES, merchants=MERCHANTS)
    identity = Identity(asking_client(settings), settings, FakeClock())
    return identity.caller(request_of(kind, PAYLOADS[kind](USER, team)))


EVERY_KIND = pytest.mark.parametrize("kind", PAYLOADS)


@EVERY_KIND
def test_a_member_of_the_host_has_the_role_of_the_settings(api: SlackApi, kind: str) -> None:
    assert caller(api, kind, connect.member(USER), HOST) == Caller(f"{HOST}/{USER}", Role.ADMIN, None)


@EVERY_KIND
@pytest.mark.parametrize("of_one_channel", [False, True])
def test_a_guest_is_a_merchant_at_the_most(api: SlackApi, kind: str, of_one_channel: bool) -> None:
    assert caller(api, kind, connect.guest(USER, of_one_channel=of_one_channel), HOST) == MERCHANT_HERE


@EVERY_KIND
@pytest.mark.parametrize(
    "user",
    [connect.external(USER), connect.external(USER, stranger=True), connect.external_of_a_grid(USER)],
    ids=["external", "stranger", "grid"],
)
def test_an_external_is_who_they_are_in_their_own_workspace(
    api: SlackApi, kind: str, user: dict[str, Any]
) -> None:
    assert caller(api, kind, user, OTHER) == MERCHANT_THERE
    assert "usergroups.users.list" not in api.methods


@EVERY_KIND
def test_a_stranger_shown_under_the_hosts_team_is_not_the_hosts_person(api: SlackApi, kind: str) -> None:
    found = caller(api, kind, connect.posing_guest(USER), HOST)
    assert found.role is Role.NOBODY
    assert found.stores == frozenset()


@pytest.mark.parametrize("kind", ["command", "click", "submission"])
def test_a_payload_that_names_another_workspace_than_the_persons_gives_no_role(
    api: SlackApi, kind: str
) -> None:
    """The host's admin, and a payload of the other organisation with the same user id: it is another person's."""
    assert caller(api, kind, connect.member(USER), OTHER).role is Role.NOBODY


@EVERY_KIND
def test_who_cannot_be_looked_up_is_external_and_has_no_rights(api: SlackApi, kind: str) -> None:
    api.tell("users.info", no("user_not_visible"))
    settings = SlackSettings(api_url=api.url, bot_token="xoxb-1", roles=ROLES, merchants=MERCHANTS)
    identity = Identity(asking_client(settings), settings, FakeClock())
    found = identity.caller(request_of(kind, PAYLOADS[kind](USER, HOST)))
    assert (found.role, found.stores, found.doubt) == (Role.NOBODY, frozenset(), Doubt.PERSON)


@pytest.mark.parametrize("kind", ["click", "submission"])
def test_the_outer_team_of_a_click_or_a_sheet_is_not_the_persons(kind: str) -> None:
    body = PAYLOADS[kind](USER, OTHER)
    assert body["team"]["id"] == HOST
    assert sender(body) == (OTHER, USER)


def test_an_event_in_a_shared_channel_is_of_whose_workspace_it_names_or_of_nobodys() -> None:
    body = connect.link_shared(USER, OTHER)
    assert body["team_id"] == HOST
    assert team_of_event(body) == OTHER
    del body["event"]["user_team"]
    assert team_of_event(body) == ""
    assert (
        team_of_event(connect.app_home_opened(USER, OTHER)) == HOST
    )  # no shared channel: who it is, users.info says
