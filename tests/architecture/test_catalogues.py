"""The catalogues hold every sentence there is: each is found in the sources, and each file is what the sources make it."""

from pathlib import Path

import pytest

from bot.text.catalogue import FOLDER, TEMPLATE, codes, template, updated
from bot.text.extract import extract

SOURCES = extract(FOLDER.parents[1])
RUN = "type: python -m bot.text update"


def test_every_sentence_is_made_of_literals() -> None:
    """Whoever writes a sentence in another way hides it from the translators: make a literal of it, or a `Phrase`."""
    assert SOURCES.unread == ()


def test_a_template_has_one_plural_or_none_everywhere() -> None:
    assert SOURCES.clashes == ()


def test_the_template_has_every_sentence() -> None:
    assert TEMPLATE.read_text(encoding="utf-8") == template(SOURCES.messages), RUN


@pytest.mark.parametrize("code", codes())
def test_a_catalogue_has_every_sentence_and_no_other(code: str) -> None:
    path = FOLDER / f"{code}.po"
    assert path.read_text(encoding="utf-8") == updated(path, SOURCES.messages), RUN


def places(tmp_path: Path, source: str) -> tuple[str, ...]:
    room = tmp_path / "commands"
    room.mkdir(exist_ok=True)
    (room / "x.py").write_text(source, encoding="utf-8")
    return extract(tmp_path).unread


@pytest.mark.parametrize(
    "source",
    [
        'def f(a):\n    return say("x" + a)',
        "def f(text):\n    return say(text)",
        'def f(a):\n    return say(f"{a}")',
        "def f(a):\n    for text in a:\n        say(text)",
        "def f(a):\n    text, other = a\n    return say(text)",
        "TABLE = {1: 'one'}\ndef f(a):\n    return say(TABLE[a])",
        "def f(a):\n    return Phrase(a)",
        "def f(a):\n    return say_n('one', a, count=2)",
        "def f():\n    return say(elsewhere)",
        "def f(a):\n    text = 'one'\n    if a:\n        text = a\n    return say(text)",
    ],
)
def test_a_sentence_that_cannot_be_read_is_named(tmp_path: Path, source: str) -> None:
    (place,) = places(tmp_path, source)
    assert place.startswith("commands/x.py:")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("say('one')", ["one"]),
        ("say('on'\n    'e')", ["one"]),
        ("def f(a):\n    return say('one' if a else 'two')", ["one", "two"]),
        ("def f(a):\n    text = 'one' if a else 'two'\n    return say(text)", ["one", "two"]),
        ("_T = 'one'\ndef f():\n    return say(_T)", ["one"]),
        ("T = {1: Phrase('one')}", ["one"]),
        ("say('{what}', what=say('one'))", ["one", "{what}"]),
    ],
)
def test_literals_are_read(tmp_path: Path, source: str, found: list[str]) -> None:
    assert places(tmp_path, source) == ()
    assert [message.one for message in extract(tmp_path).messages] == found


def test_what_has_little_room_is_told_to_translators(tmp_path: Path) -> None:
    source = "label = say('Go')\nsure = say('Sure?')\nButton(A, 'v', label, 'primary', sure)\nSheet('n', say('T'), ())"
    assert places(tmp_path, source) == ()
    uses = {message.one: message.uses for message in extract(tmp_path).messages}
    assert uses == {"Go": ("button",), "Sure?": ("question",), "T": ("word",)}
    assert "#. a button: at most 30 characters\n" in template(extract(tmp_path).messages)
