"""Alerts as Slack gets them: within its limits, calling whom they must, and with clicks that certdesk understands."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.limits import violations
from bot.slack.payloads import clicked
from bot.slack.render import Rendered, render
from commands.clicks import CLICKS
from commands.messages import compose
from services.alerting import clicks
from services.model.findings import CODES
from tests.unit.alert_world import DAY, POLICY, World, found, lame

GROUPS = replace(POLICY, oncall_group="S0ONCALL", manager_group="S0LEADS")


def shown(world: World) -> list[Rendered]:
    """Post every message that is owed; as what."""
    world.tend()
    return [render(compose(world.desk, message).reply) for message in world.outbox()]


def elements(message: Rendered) -> list[dict[str, Any]]:
    return [one for block in message.blocks if block["type"] == "actions" for one in block["elements"]]


def clicks_on(element: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what the intake makes of each click that the element offers, as (action, value)."""
    options = element.get("options") or [None]
    bodies = [
        {"actions": [element | ({"selected_option": option} if option else {})], "channel": {"id": "C1"}}
        for option in options
    ]
    return [(action, value) for body in bodies for action, _, value in [clicked(body).text.partition(" ")]]


@pytest.mark.parametrize("margin", [18 * DAY, 6 * DAY, DAY, -DAY])
@pytest.mark.parametrize("code", sorted(CODES))
def test_every_alert_is_a_message_that_slack_takes(code: str, margin: Any) -> None:
    world = World()
    long = "x" * 60 + ".test"
    world.confirm(
        world.install("moon", margin), found(code, "moon.test", summary="{name} & {code} " + long * 30)
    )
    for message in shown(world):
        assert violations(message.text, message.blocks) == []


def test_a_group_of_hundreds_is_one_message_that_slack_takes() -> None:
    world = World()
    group = [world.install(f"shop{n}", (5 + n) * DAY) for n in range(300)]
    for certificate in group:
        world.confirm(certificate, lame(certificate.wanted[0]))
    [message] = shown(world)
    assert violations(message.text, message.blocks) == []
    assert "300 certificates" in message.text


def test_every_button_of_an_alert_is_understood_when_it_is_clicked() -> None:
    world = World()
    for name in ("moon", "sun"):
        certificate = world.install(name, 6 * DAY)
        world.confirm(certificate, lame(certificate.wanted[0]))
    [message] = shown(world)
    alert = world.alert("dns.lame ns1.platform.test")
    offered = [click for element in elements(message) for click in clicks_on(element)]
    assert {action for action, _ in offered} <= set(CLICKS)
    assert {"alert.check", "alert.renew", "alert.ack", "alert.snooze"} <= {action for action, _ in offered}
    for _, value in offered:
        assert value.split()[:2] == [alert.id, str(alert.version)]


@pytest.mark.parametrize(
    ("margin", "called"),
    [
        (18 * DAY, ""),
        (6 * DAY, "<!subteam^S0ONCALL>"),
        (DAY, "<!subteam^S0ONCALL> <!subteam^S0LEADS>"),
    ],
)
def test_who_is_called_stands_in_the_text_and_in_the_blocks(margin: timedelta, called: str) -> None:
    world = World(policy=GROUPS)
    world.confirm(world.install("moon", margin), found("dns.not_hosted", "moon.test"))
    [message] = shown(world)
    for said in (message.text, str(message.blocks)):
        assert called in said
        assert said.count("<!subteam^") == called.count("<!subteam^")


def test_who_acknowledged_is_shown_by_name_in_the_message_and_in_its_thread() -> None:
    world = World(policy=GROUPS)
    world.confirm(world.install("moon", 6 * DAY), found("dns.not_hosted", "moon.test"))
    shown(world)
    alert = world.alert("dns.not_hosted moon.test")
    assert clicks.acknowledge(world.desk, alert.id, alert.version, "T0MOON/U0ONCALL").done
    edited, note = sorted(shown(world), key=lambda message: -len(message.blocks))
    assert "by <@U0ONCALL> at" in str(edited.blocks)
    assert "<!subteam^" not in edited.text + str(edited.blocks)
    [line] = note.blocks
    assert line["text"]["text"].startswith("ℹ️ <@U0ONCALL> has acknowledged")  # noqa: RUF001 - the sign that is meant
    assert line["type"] == "section"  # a header would show the id
    assert note.text == line["text"]["text"]
