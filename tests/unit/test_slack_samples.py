"""Everything that certdesk shows keeps Slack's limits in every language; and of everything there is a sample to judge."""

from typing import get_args

import pytest

from bot.slack.limits import view_violations, violations
from bot.slack.render import render
from bot.slack.render_views import home, modal
from bot.text.language import Language, languages
from commands.fields import Field
from commands.reply import Part, Reply, Sheet
from tests.samples.sample import Shown
from tests.samples.table import NEEDED, SAMPLES, made

LONGEST_TITLE = 24
"""Characters of a modal's title and of its buttons (Slack's limit)."""


def refused(shown: Shown, language: Language) -> list[str]:
    """Return why Slack would not take it in a language: what is too long for its place, and what would be cut."""
    if isinstance(shown, Reply):
        rendered = render(shown, language=language)
        return violations(rendered.text, rendered.blocks)
    if not isinstance(shown, Sheet):
        return view_violations(home(shown, language=language))
    cut = [
        f"{one!r} is too long"
        for one in (language.plain(shown.title), language.plain(shown.submit))
        if len(one) > LONGEST_TITLE
    ]
    ids = [part.id for part in shown.parts if isinstance(part, get_args(Field))]
    twice = [f"two fields {one}" for one in {*ids} if ids.count(one) > 1]
    return [*cut, *twice, *view_violations(modal(shown, "/ssl", language, handle="V1:2"))]


@pytest.mark.parametrize("name", SAMPLES)
def test_slack_takes_every_sample_in_every_language(name: str) -> None:
    for sample in made(name):
        for language in languages():
            assert refused(sample.shown, language) == [], (sample.of, language.code)


def test_there_is_a_sample_of_everything() -> None:
    samples = [sample for name in SAMPLES for sample in made(name)]
    assert NEEDED - {one.of for one in samples} == set()
    drawn = {type(part) for one in samples for part in one.shown.parts}
    assert {*get_args(Part), *get_args(Field)} - drawn == set()
