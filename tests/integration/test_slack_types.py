"""Everything that certdesk sends to Slack is what Slack's own types know; a compiler says so, not we."""

from pathlib import Path
from typing import Any

from bot.slack.render import render
from bot.slack.render_views import home, modal
from commands.reply import Page, Reply, Sheet
from services.model.text import say
from tests.samples.table import SAMPLES, made
from tests.typed import complaints
from tests.unit.test_slack_views import PARTS


def test_every_sample_is_of_slacks_own_types(tmp_path: Path) -> None:
    messages: dict[str, Any] = {}
    views: dict[str, Any] = {}
    for name in SAMPLES:
        for sample in made(name):
            if isinstance(sample.shown, Reply):
                blocks = render(sample.shown).blocks
                messages[repr(blocks)] = blocks
            elif isinstance(sample.shown, Sheet):
                view = modal(sample.shown, handle="V1:1")
                views[repr(view)] = view
            else:
                view = home(sample.shown)
                views[repr(view)] = view
    assert (len(messages) > 500, len(views) > 100) == (True, True)
    every = [modal(Sheet("add", say("Add"), PARTS, say("Send"))), home(Page(PARTS[:5]))]
    assert complaints(tmp_path, list(messages.values()), [*views.values(), *every]) == []


def test_the_compiler_does_complain(tmp_path: Path) -> None:
    header: dict[str, Any] = {"type": "header", "text": {"type": "mrkdwn", "text": "no"}}
    view = {**modal(Sheet("add", say("Add"), PARTS, say("Send"))), "title": "no"}
    assert len(complaints(tmp_path, [[header]], [view])) == 2
