"""A Home is published with the rights of that moment, as often as it must be and no more; whatever Slack answers."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.clients import posting_client
from bot.slack.homes import Homes
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import alone
from commands.caller import Caller, Role
from services import home
from services.model.lifecycle import State
from services.ports import Message, Request
from tests.desks import MOON, SUPPORT
from tests.unit.home_world import HomeWorld
from tests.unit.slack_world import SlackApi, no, ok

SECOND = timedelta(seconds=1)


class Published(HomeWorld):
    """Homes that are published to a Slack which answers as it is told."""

    def __init__(self, api: SlackApi, **settings: Any) -> None:
        super().__init__()
        self.api = api
        self.callers = {"U_MOON": MOON, "U_SUPPORT": SUPPORT}
        self.asked: list[Request] = []
        api.tell("views.publish", ok(view={}))
        client = posting_client(SlackSettings(api_url=api.url, bot_token="xoxb-1"))
        self.homes = Homes(alone(client), self.desk, self._caller, **settings)

    def _caller(self, request: Request) -> Caller:
        self.asked.append(request)
        return self.callers[request.user]

    def deliver(self, after: timedelta = timedelta(0)) -> list[str]:
        """Publish what is owed so long from now; return to whom."""
        self.bench.now += after
        owed = self.owed()
        for message in owed:
            self.homes.deliver(message)
        return [message.user for message in owed]

    def opened(self, caller: Caller = MOON) -> None:
        self.perform(caller, "", kind="home")
        self.deliver()

    @property
    def views(self) -> list[dict[str, Any]]:
        views = [one["view"] for one in self.api.asked("views.publish")]
        return [json.loads(view) if isinstance(view, str) else view for view in views]

    def row(self, caller: Caller = MOON) -> Message:
        with self.bench.storage.read() as tx:
            found = tx.outbox.by_key(home.key(caller.person))
        assert found is not None
        return found


@pytest.fixture
def api() -> Iterator[SlackApi]:
    api = SlackApi()
    yield api
    api.stop()


@pytest.fixture
def world(api: SlackApi) -> Published:
    return Published(api)


def test_what_is_opened_is_published_at_once_and_then_when_it_changes(world: Published) -> None:
    world.add("shop.moon.test")
    world.opened()
    assert "moon.test" in json.dumps(world.views[0])
    assert world.deliver(60 * SECOND) == []
    for serial in range(20):
        world.bench.install("shop.moon.test", serial=f"{serial:02}")
        world.bench.now += SECOND / 10
    assert world.deliver() == []
    assert world.deliver(SECOND) == ["U_MOON"]  # three seconds after the first of the changes
    assert "Installed" in json.dumps(world.views[-1])
    assert world.deliver(60 * SECOND) == []
    assert len(world.views) == 2


def test_rights_are_asked_for_at_each_publish(world: Published) -> None:
    world.add("shop.moon.test")
    world.opened()
    world.callers["U_MOON"] = Caller(MOON.person, Role.NOBODY)
    world.bench.install("shop.moon.test")
    assert world.deliver(3 * SECOND) == ["U_MOON"]
    assert "moon.test" not in json.dumps(world.views[-1])
    assert [(one.team, one.user) for one in world.asked] == [("T1", "U_MOON")] * 2
    world.bench.install("shop.moon.test")
    assert world.deliver(3 * SECOND) == []  # it follows nothing of that store any more


def test_who_has_not_looked_for_an_hour_is_let_go(world: Published) -> None:
    world.add("shop.moon.test")
    world.opened()
    world.bench.install("shop.moon.test")
    assert world.deliver(home.LASTS + SECOND) == ["U_MOON"]
    world.bench.install("shop.moon.test")
    assert world.deliver(3 * SECOND) == []
    assert (len(world.views), world.row().follows) == (1, ())
    world.opened()
    assert len(world.views) == 2


def test_a_rate_limit_holds_every_home(world: Published) -> None:
    world.api.tell("views.publish", no("ratelimited", 429, Retry_After="7"), ok(view={}))
    world.perform(MOON, "", kind="home")
    world.perform(SUPPORT, "", kind="home")
    assert sorted(world.deliver()) == ["U_MOON", "U_SUPPORT"]
    assert len(world.views) == 1
    assert world.row().error == "Slack: ratelimited"
    assert world.deliver(7 * SECOND) == []
    assert sorted(world.deliver(3 * SECOND)) == ["U_MOON", "U_SUPPORT"]
    assert world.row().sent == world.row().version


@pytest.mark.parametrize("answer", [no("internal_error"), no("not_enabled"), no("fatal_error", 503)])
def test_what_slack_does_not_take_is_tried_again(world: Published, answer: Any) -> None:
    world.api.tell("views.publish", answer, ok(view={}))
    world.opened()
    assert world.row().failures == 1
    assert world.deliver(10 * SECOND) == ["U_MOON"]
    assert world.row().failures == 0


def test_a_change_while_it_is_published_is_not_missed(world: Published) -> None:
    world.add("shop.moon.test")
    world.perform(MOON, "", kind="home")
    [message] = world.owed()
    world.bench.install("shop.moon.test")
    world.homes.deliver(message)  # it follows the certificate from here on
    world.bench.change("shop.moon.test", state=State.NEEDS_SUPPORT)
    assert world.deliver(3 * SECOND) == ["U_MOON"]


def test_another_worker_may_have_taken_it(world: Published) -> None:
    world.perform(MOON, "", kind="home")
    [message] = world.owed()
    world.bench.now += timedelta(minutes=2)
    assert len(world.owed()) == 1
    world.homes.deliver(message)
    assert world.row().sent == 0


def test_without_date_tokens_moments_are_in_utc(api: SlackApi) -> None:
    world = Published(api, date_tokens=False)
    world.add("shop.moon.test")
    world.bench.install("shop.moon.test")
    world.opened()
    assert "<!date" not in json.dumps(world.views[0])
    assert "2027-05-11 14:03 UTC" in json.dumps(world.views[0])
