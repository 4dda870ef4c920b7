"""Doing things without typing, in a real browser: a menu, names to tick, progress; what the page cannot do is sent as Slack signs it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bot.demo import world as demo_world
from bot.demo.parts.errors import PartError
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.parts.process import wait_until
from bot.demo.sample import CHANNEL, TEAM, VISITOR
from bot.demo.world import World
from commands import picking
from services.model.clock import utc_now
from tests.browser.workspace import Person, gets_a_certificate, signed, status, world

STORE, NAME = "sun", "sun.test"
"""An English store, and a domain of it."""
LATEST = 3000
"""Milliseconds in which Slack takes a trigger."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    try:
        with world(tmp_path_factory.mktemp("world")) as started:
            demo_world.run(started.environment, "ssl", "link", f"{TEAM}/{VISITOR}", STORE)
            yield started
    except PartError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def slack(running: World) -> LocalSlack:
    assert running.slack is not None
    running.slack.reset()
    return running.slack


@pytest.fixture
def agent(slack: LocalSlack, chromium_page: Page) -> Person:
    return Person(chromium_page, slack.page_url)


@pytest.fixture
def merchant(slack: LocalSlack, chromium_page: Page) -> Person:
    """Return a person of another company, who is linked to the store sun."""
    person = Person(chromium_page, slack.page_url)
    person.acts_as(VISITOR)
    return person


def traffic(slack: LocalSlack, summary: str) -> list[Mapping[str, Any]]:
    """Return what went to Slack's method, oldest first."""
    return [entry for entry in slack.log() if entry["summary"] == summary]


# --- in the page ----------------------------------------------------------------------------------------------------


def test_a_merchant_gets_a_certificate_by_ticking_names_and_watches_it_in_the_modal(
    merchant: Person, running: World
) -> None:
    gets_a_certificate(merchant, running, NAME)


def test_ssl_alone_opens_a_menu_for_the_role(merchant: Person) -> None:
    merchant.begins("/ssl")
    merchant.sends()
    modal = merchant.sees_modal("What would you like to do?", "Get certificates")
    expect(modal).not_to_contain_text("Open alerts")


def test_a_store_that_is_not_there_is_told_in_the_modal(agent: Person) -> None:
    agent.begins("/ssl add")
    agent.sends()
    agent.sees_modal("Which store are the names of?")
    agent.fills("nowhere")
    agent.submits()
    agent.sees_modal("There is no store nowhere that you can see")
    agent.fills("comet")
    agent.submits()
    agent.sees_modal("of the store comet")


def test_a_modal_opens_while_its_trigger_is_good(slack: LocalSlack) -> None:
    began = utc_now()
    slack.command("", user=VISITOR)
    wait_until(lambda: bool(traffic(slack, "views.open")), 10, "a modal")
    [opened] = traffic(slack, "views.open")
    assert opened["time"] - began.timestamp() * 1000 < LATEST


# --- as Slack signs it -----------------------------------------------------------------------------------------------


def payload(kind: str, once: str, **more: Any) -> Mapping[str, str]:
    person = {"id": VISITOR, "username": "guest", "team_id": TEAM}
    body = {"type": kind, "team": {"id": TEAM}, "user": person, "trigger_id": f"{once}.1.abc", **more}
    return {"payload": json.dumps(body)}


def view(name: str, once: str, memory: str, **values: Any) -> Mapping[str, Any]:
    return {
        "id": "V0MODAL",
        "type": "modal",
        "callback_id": name,
        "hash": f"1.{once}",
        "private_metadata": memory,
        "state": {"values": {field: {field: value} for field, value in values.items()}},
    }


def shown(slack: LocalSlack) -> str:
    """Wait until a modal is changed, and return what it shows then."""
    wait_until(lambda: bool(traffic(slack, "views.update")), 10, "a change of the modal")
    return json.dumps(traffic(slack, "views.update")[-1]["detail"])


def test_a_click_in_the_menu_shows_the_names_in_the_same_modal(running: World, slack: LocalSlack) -> None:
    action = {"type": "button", "action_id": "menu.status", "block_id": "b", "value": "-"}
    menu = view("menu", "menu", picking.memory(None))
    answer = signed(running, payload("block_actions", "click", actions=[action], view=menu))
    assert (answer.status_code, answer.text) == (200, "")
    assert "worst first" in shown(slack)
    assert traffic(slack, "views.open") == []


@pytest.mark.parametrize("store", ["moon", "dust"])
def test_a_forged_memory_and_a_foreign_name_are_answered_like_unknown_ones(
    running: World, slack: LocalSlack, store: str
) -> None:
    typed = {"type": "plain_text_input", "value": f"{store}.test"}
    sent = view("add", store, picking.memory(store), typed=typed)
    answer = signed(running, payload("view_submission", store, view=sent))
    assert answer.json()["response_action"] == "update"
    told = shown(slack).replace(store, "STORE")
    assert "There is no store STORE that you can see" in told
    assert "belongs" not in told
    assert signed(running, payload("view_submission", store, view=sent)).json() == answer.json()  # again


def test_a_stranger_may_not_send_off_what_a_merchant_may(running: World, slack: LocalSlack) -> None:
    ticked = {"type": "checkboxes", "selected_options": [{"value": "www.sun.test"}]}
    sent = view("add", "stranger", picking.memory(STORE), names=ticked)
    person = {"id": "U0NOBODY", "team_id": "T0OTHER"}
    signed(running, payload("view_submission", "stranger", view=sent, user=person))
    assert "www.sun.test" not in shown(slack)
    assert status(running, "www.sun.test")["state"] == "none"


def test_a_trigger_that_slack_does_not_take_leaves_a_message(running: World, slack: LocalSlack) -> None:
    fields = {"command": "/ssl", "text": "add", "team_id": TEAM, "user_id": VISITOR, "channel_id": CHANNEL}
    signed(running, {**fields, "trigger_id": "1.old"})
    wait_until(lambda: bool(traffic(slack, "chat.postEphemeral")), 10, "a message")
    [message] = traffic(slack, "chat.postEphemeral")
    assert "the store sun" in json.dumps(message["detail"])
