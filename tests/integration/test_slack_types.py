"""Everything that certdesk sends to Slack is what Slack's own types know; a compiler says so, not we."""

from pathlib import Path
from typing import Any

from bot.slack.limits import violations
from bot.slack.render import Rendered, render
from bot.slack.render_views import home, modal
from commands.dispatch import dispatch
from commands.messages import compose
from commands.progressing import progress
from commands.reply import Page, Sheet
from services.model.findings import CODES
from services.model.lifecycle import State
from services.model.text import say
from tests.typed import complaints
from tests.unit.alert_world import DAY, World, found, lame
from tests.unit.commands_world import alert, desk_of, put
from tests.unit.home_world import HomeWorld
from tests.unit.test_commands_isolation import CALLERS, COMMAND_TEXTS, OWN, make
from tests.unit.test_commands_sheets import every_sheet
from tests.unit.test_slack_views import PARTS


def answers() -> list[Rendered]:
    """Return what every command answers to every role."""
    bench = make()
    shown = []
    for caller in CALLERS.values():
        for command, texts in COMMAND_TEXTS.items():
            for text in texts:
                words = f"{command} {text.format(OWN, OWN)}"
                outcome = dispatch(words, caller, desk_of(bench), "C_moon")
                reply = outcome.reply
                if outcome.follows:
                    desk = desk_of(bench)
                    reply = progress(
                        desk, outcome.verb, outcome.names, outcome.follows, outcome.refused
                    ).reply
                shown.append(render(reply))
    return shown


def alerts() -> list[Rendered]:
    """Return an alert of every code, in each severity, and one of many certificates; posted, mended and healed."""
    shown = []
    for code in sorted(CODES):
        for margin in (18 * DAY, 6 * DAY, DAY, -DAY):
            world = World()
            world.confirm(world.install("moon", margin), found(code, "moon.test"))
            shown += posted(world)
    world = World()
    group = [world.install(f"shop{n}", (5 + n) * DAY) for n in range(60)]
    for certificate in group:
        world.confirm(certificate, lame(certificate.wanted[0]))
    shown += posted(world)
    for certificate in group:
        world.see(certificate)
    return shown + posted(world)


def posted(world: World) -> list[Rendered]:
    world.tend()
    return [render(compose(world.desk, message).reply) for message in world.outbox()]


def homes() -> list[dict[str, Any]]:
    """Return the Home tab of every role: with nothing, with trouble, and where there is more than a page."""
    views = []
    for count in (0, 1, 25):
        for caller in CALLERS.values():
            world = HomeWorld()
            world.fleet(count, "moon", State.INSTALLED)
            world.fleet(count, "sun", State.NEEDS_SUPPORT)
            for number in range(count):
                put(world.bench, alert(thing=f"ns{number}.test", id=f"alert_{number}"), 2)
            view = world.open(caller)
            turned = world.click(caller, view, "home.turn next")
            views += [view, turned, world.click(caller, view, "home.search", **{"home.search": "moon"})]
    return [view.content for view in views]


def test_every_message_and_view_is_of_slacks_own_types(tmp_path: Path) -> None:
    sent = [*answers(), *alerts()]
    assert len(sent) > 300
    assert [line for one in sent for line in violations(one.text, one.blocks)] == []
    views = [*homes(), modal(Sheet("add", say("Add"), PARTS, say("Send"))), home(Page(PARTS[:5]))]
    views += [modal(sheet, handle="V1:1") for sheet in every_sheet()]
    once = {repr(one.blocks): one.blocks for one in sent}
    assert complaints(tmp_path, list(once.values()), views) == []


def test_the_compiler_does_complain(tmp_path: Path) -> None:
    header: dict[str, Any] = {"type": "header", "text": {"type": "mrkdwn", "text": "no"}}
    view = {**modal(Sheet("add", say("Add"), PARTS, say("Send"))), "title": "no"}
    assert len(complaints(tmp_path, [[header]], [view])) == 2
