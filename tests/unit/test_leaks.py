"""No English leaks to a person: what is shown is a template that can be translated, or a value that is nobody's prose.

Every sample of what certdesk shows (`tests.samples.table`) is drawn in a language in which each template stands in brackets: a
letter outside of them would be English for everybody. And no value in a gap is a phrase of English: a sentence in a gap is a `Text`.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from babel import Locale

from bot.slack.render import render
from bot.slack.render_views import home, modal
from bot.text.language import Language
from commands.reply import Reply, Sheet, Tone
from services.model.text import Text, say
from tests.samples.sample import Shown
from tests.samples.table import SAMPLES, made
from tests.unit.pseudo import texts


class _Bracketed(dict[str, tuple[str, ...]]):
    """Any template in brackets: that all of them are in the catalogues is held by tests/architecture/test_catalogues.py."""

    def get(self, template: str, _default: Any = None) -> tuple[str, ...]:
        return (f"⟦{template.rpartition(chr(0))[2]}⟧",)


ANY = Language("any", "Any", Locale("en"), _Bracketed())

_VALUES = re.compile(r"`[^`]*`|```.*?```|<[^>]*>|&\w+;", re.DOTALL)
"""Code spans, preformatted blocks, mentions and date tokens: values."""
_PROSE = re.compile(r"\b[a-z]{3,} [a-z]{2,} ?[a-z]*\b")
"""What is a phrase: two words in small letters side by side."""
_OUTSIDE: Mapping[str, str] = {
    "command": "as it is typed",
    "usage": "as it is typed",
    "example": "as it is typed",
    "commands": "as they are typed",
    "given": "what somebody has typed",
    "word": "what somebody has typed",
    "detail": "a CA's, a server's or a tool's own words",
    "said": "a server's own words, where they are no known ones",
}
"""Gaps that hold words of others, or of a command."""


def strings(piece: Any, gap: str = "") -> Iterator[tuple[str, str]]:
    """Yield (gap, string) for every string that a message shows beside its templates."""
    if isinstance(piece, Text):
        for name, value in piece.values:
            yield from strings(value, name)
    elif isinstance(piece, str):
        yield gap, piece
    elif isinstance(piece, tuple | list):
        for value in piece:
            yield from strings(value, gap)
    elif dataclasses.is_dataclass(piece):
        for field in dataclasses.fields(piece):
            if field.name not in _NEVER_SHOWN:
                yield from strings(getattr(piece, field.name), field.name)


_NEVER_SHOWN = frozenset(
    {"memory", "action", "value", "options", "chosen", "id", "style", "tone", "code", "groups"}
)


def drawn(shown: Shown) -> list[str]:
    """Return all texts that Slack is sent."""
    if isinstance(shown, Reply):
        rendered = render(shown, language=ANY)
        return [rendered.text, *texts(rendered.blocks)]
    view = modal(shown, language=ANY) if isinstance(shown, Sheet) else home(shown, language=ANY)
    return list(texts(view))


def _is_prose(text: str) -> bool:
    """Tell whether a value reads like English; a command as it is typed does not count."""
    return bool(_PROSE.search(text)) and not text.startswith("/ssl ")


def leaks(shown: Shown) -> list[str]:
    """Return what of a message is English for everybody."""
    beside = [(gap, text) for gap, text in strings(shown) if text]
    found = [f"{gap}: {text}" for gap, text in beside if gap not in _OUTSIDE and _is_prose(text)]
    for text in drawn(shown):
        bare = _VALUES.sub("", text)
        while bare != (bare := re.sub(r"⟦[^⟦⟧]*⟧", "", bare)):
            pass
        bare = re.sub(r"⟦.*", "", bare, flags=re.DOTALL)  # cut short: its bracket never closes
        for _, value in sorted(beside, key=lambda pair: -len(pair[1])):
            bare = bare.replace(value, "")
        if any(char.isalpha() for char in bare.replace("certdesk", "").replace("\N{INFORMATION SOURCE}", "")):
            found.append(f"{bare.strip()!r} in {text!r}")
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_no_sample_leaks(name: str) -> None:
    for sample in made(name):
        assert leaks(sample.shown) == [], sample.of


@pytest.mark.parametrize(
    "text",
    [
        say("{answer}!", answer="the name server is silent"),
        Text("{name}", (("name", "this is said in English"),)),
    ],
)
def test_a_phrase_in_a_gap_does_leak(text: Text) -> None:
    assert leaks(Reply(Tone.INFO, text)) != []
