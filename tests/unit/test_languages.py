"""Sentences in a language: plural forms, gaps, numbers and lists, and what happens where a translation is missing or wrong."""

import json
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.plurals import get_plural

from bot import terminal
from bot.slack.escape import mrkdwn
from bot.slack.limits import view_violations, violations
from bot.slack.render import render
from bot.slack.render_views import home, modal
from bot.text import check
from bot.text.catalogue import chooser, read, updated
from bot.text.extract import Message, Sources
from bot.text.language import ENGLISH, Language, language, languages
from commands.fields import Choice, Entry
from commands.reply import (
    Button,
    Buttons,
    Fields,
    Hint,
    Mark,
    Mention,
    Menu,
    Page,
    Paragraph,
    Plan,
    Problem,
    Reply,
    Row,
    Rows,
    Sheet,
    Tone,
)
from commands.reply_json import reply_from_json, reply_to_json
from commands.spans import number
from services.model.text import Text, from_json, say, say_n, to_json
from tests.unit.pseudo import PSEUDO, texts

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
DAYS = Message("{count} day", "{count} days", ("a.py",))
BLOCKED = Message("{name} is blocked", "", ("a.py",))
GO = Message("Go", "", ("a.py",), ("button",))
HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: {code}\\n"\n'


def po(tmp_path: Path, code: str, body: str = "", *messages: Message) -> Path:
    """Write a catalogue and bring it up to date with ``messages``."""
    path = tmp_path / f"{code}.po"
    path.write_text(HEAD.format(code=code) + "\n" + body, encoding="utf-8")
    path.write_text(updated(path, messages), encoding="utf-8")
    return path


def loaded(tmp_path: Path, code: str) -> Language:
    found = read(code, tmp_path)
    return Language(code, code, Locale(code), found.messages, chooser(found))


def test_a_plural_is_english_by_itself() -> None:
    assert [say_n("{count} day", "{count} days", count=n).plain() for n in (0, 1, 2)] == [
        "0 days",
        "1 day",
        "2 days",
    ]


def test_a_plural_survives_storage() -> None:
    text = say_n("one of {all}", "{count} of {all}", count=3, all=5)
    again = from_json(json.loads(json.dumps(to_json(text))))
    assert again == text
    assert again.plain() == "3 of 5"


def test_what_was_stored_before_there_were_plurals_is_still_read() -> None:
    assert from_json({"text": "{n} x", "values": {"n": 2}}) == Text("{n} x", (("n", 2),))
    assert "many" not in to_json(say("x"))


def test_the_plural_forms_are_those_of_the_language(tmp_path: Path) -> None:
    body = 'msgid "{count} day"\nmsgid_plural "{count} days"\nmsgstr[0] "{count} dzień"\nmsgstr[1] "{count} dni"\nmsgstr[2] "{count} dnia"\n'
    head = HEAD.format(code="pl") + '"Plural-Forms: ' + get_plural("pl").plural_forms + '\\n"\n\n'
    path = tmp_path / "pl.po"
    path.write_text(head + body, encoding="utf-8")
    polish = loaded(tmp_path, "pl")
    said = [polish.plain(say_n("{count} day", "{count} days", count=n)) for n in (1, 2, 22)]
    assert said == ["1 dzień", "2 dni", "22 dni"]
    assert path.read_text(encoding="utf-8").count("dni") == 2


def test_values_may_change_places_and_hold_anything(tmp_path: Path) -> None:
    po(
        tmp_path,
        "ko",
        'msgid "{a} before {b}"\nmsgstr "{b} 앞에 {a}"\n',
        Message("{a} before {b}", "", ("a.py",)),
    )
    korean = loaded(tmp_path, "ko")
    assert korean.plain(say("{a} before {b}", a="{b}", b="{}")) == "{} 앞에 {b}"


def test_a_sentence_in_a_sentence_is_translated_too(tmp_path: Path) -> None:
    po(tmp_path, "ko", 'msgid "Go"\nmsgstr "가"\n', GO)
    assert loaded(tmp_path, "ko").plain(say("{x}!", x=say("Go"))) == "가!"


def test_numbers_follow_the_language() -> None:
    german = Language("de", "Deutsch", Locale("de"))
    assert german.plain(say("{n:,} of {m}", n=4210, m=8402)) == "4.210 of 8402"
    assert ENGLISH.plain(say("{n:,}", n=4210)) == say("{n:,}", n=4210).plain() == "4,210"


def test_a_number_that_begins_a_line_follows_the_language() -> None:
    german = Language("de", "Deutsch", Locale("de"))
    row = Row(number(4210), Tone.BAD, say("certificates"), say("{n:,}", n=8402))
    reply = reply_from_json(reply_to_json(Reply(Tone.BAD, number(1500), (Rows((row,)),))))
    [_, rows] = render(reply, language=german).blocks
    assert "*4.210*" in rows["text"]["text"]
    shown = terminal.text(reply, language=german)
    assert ("1.500" in shown, "4.210" in shown, "8.402" in shown) == (True, True, True)


def test_moments_and_lists_are_plain() -> None:
    text = say("{at}: {names} {none}", at=NOW, names=("a", "b"), none=())
    assert ENGLISH.plain(text) == text.plain() == "2027-02-10 14:03 UTC: a, b none"


@pytest.mark.parametrize(
    "said", ["{nmae} ist blockiert", "ist blockiert", "{name} {", "{name} {0}", "{name!r}{x}"]
)
def test_a_translation_with_other_gaps_is_not_used_and_named(tmp_path: Path, said: str) -> None:
    po(tmp_path, "de", f'msgid "{{name}} is blocked"\nmsgstr "{said}"\n', BLOCKED)
    assert loaded(tmp_path, "de").plain(say("{name} is blocked", name="x")) == "x is blocked"
    (line,) = check.catalogue("de", Sources((BLOCKED,), (), ()), tmp_path)
    assert "other gaps" in line


def test_what_is_fuzzy_or_empty_is_english_and_named(tmp_path: Path) -> None:
    po(tmp_path, "de", '#, fuzzy\nmsgid "Go"\nmsgstr "Los"\n', GO, BLOCKED)
    assert loaded(tmp_path, "de").plain(say("Go")) == "Go"
    lines = check.catalogue("de", Sources((GO, BLOCKED), (), ()), tmp_path)
    assert ["fuzzy" in lines[0], "not translated" in lines[1]] == [True, True]


def test_what_is_too_long_for_its_place_is_named(tmp_path: Path) -> None:
    po(tmp_path, "de", f'msgid "Go"\nmsgstr "{"Los " * 9}"\n', GO)
    (line,) = check.catalogue("de", Sources((GO,), (), ()), tmp_path)
    assert "30 characters at most" in line


def test_an_update_keeps_what_is_translated_and_drops_what_is_no_sentence(tmp_path: Path) -> None:
    body = '# by hand\nmsgid "Go"\nmsgstr "Los"\n\nmsgid "Gone"\nmsgstr "Weg"\n'
    path = po(tmp_path, "de", body, GO, DAYS)
    text = path.read_text(encoding="utf-8")
    assert "Los" in text
    assert "# by hand" in text
    assert "Weg" not in text
    assert "msgstr[1]" in text
    assert updated(path, (GO, DAYS)) == text


def test_a_sentence_that_gets_a_plural_is_translated_anew_where_there_are_several_forms(
    tmp_path: Path,
) -> None:
    path = po(tmp_path, "de", 'msgid "{count} day"\nmsgstr "{count} Tag"\n', DAYS)
    assert "Tag" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("locale", "code"),
    [
        ("ko-KR", "ko"),
        ("ja-JP", "ja"),
        ("ko", "ko"),
        ("KO-kr", "ko"),
        ("en-US", "en"),
        ("fr-FR", "en"),
        ("", "en"),
        ("../x", "en"),
    ],
)
def test_a_locale_leads_to_its_language_or_to_english(locale: str, code: str) -> None:
    assert language(locale).code == code


def test_english_korean_and_japanese_are_there() -> None:
    assert [(each.code, each.name) for each in languages()] == [
        ("en", "English"),
        ("ja", "日本語"),
        ("ko", "한국어"),
    ]


EVERYTHING = Reply(
    Tone.WARN,
    say("All checks passed for {name}", name="x.test"),
    (
        Paragraph(say("next attempt {at}", at=NOW)),
        Hint(say_n("{count:,} more is not shown here.", "{count:,} more are not shown here.", count=1)),
        Fields(((say("Names"), "x.test"), (say("Valid until"), NOW), (say("Since"), ()))),
        Plan("x.test", ((say("installed"), Mark.DONE), (say("order"), Mark.NOW))),
        Problem("dns.lame", say("failed"), say("none"), say("the platform"), blocks=True),
        Rows((Row("x.test", Tone.BAD, say("failed"), say("waiting")),)),
        Mention(("S0123",), say("{severity}: please look at this.", severity=say("Urgent"))),
        Buttons(
            (
                Button(
                    "a",
                    "v",
                    say("Check again"),
                    confirm=say_n(
                        "Renew {count:,} certificate now?", "Renew {count:,} certificates now?", count=2
                    ),
                ),
                Menu("m", say("Snooze"), (("1", say("1 day")),)),
            )
        ),
    ),
)
"""A message with every part that has sentences."""


def left(shown: str) -> str:
    """Return the letters of a text that stand outside brackets, values apart."""
    for value in (
        "x.test",
        "2027-02-10 14:03 UTC",
        "S0123",
        "dns.lame",
        "date",
        "short",
        "pretty",
        "time",
        "subteam",
    ):
        shown = shown.replace(value, "")
    while shown != (shown := re.sub(r"⟦[^⟦⟧]*⟧", "", shown)):
        pass
    return "".join(char for char in shown if char.isalpha())


def test_every_part_of_a_message_is_shown_in_the_language() -> None:
    rendered = render(EVERYTHING, language=PSEUDO)
    assert violations(rendered.text, rendered.blocks) == []
    for shown in (rendered.text, *texts(rendered.blocks)):
        assert left(shown) == "", shown


def test_every_part_of_a_modal_and_of_a_home_is_shown_in_the_language() -> None:
    fields = (
        Choice("c", say("Names"), (("v", say("installed")),), hint=say("failed")),
        Entry("e", say("Serial number"), hint=say("waiting")),
    )
    parts = (*EVERYTHING.parts, *fields)
    for view in (
        modal(Sheet("s", say("Names"), parts, say("Approve")), language=PSEUDO),
        home(Page(parts), language=PSEUDO),
    ):
        assert view_violations(view) == []
        for shown in texts(view):
            assert left(shown) == "", shown


def test_a_terminal_shows_the_language() -> None:
    assert left(terminal.text(EVERYTHING, zone=UTC, language=PSEUDO)) == ""
    out = StringIO()
    terminal.follow([EVERYTHING], language=PSEUDO, out=out)
    assert left(re.sub(r"UTC[+:\d]*|\d\d:", "", out.getvalue())) == ""


def test_a_title_that_is_longer_in_another_language_is_shown_whole() -> None:
    title = say("Names")
    long = Language("de", "Deutsch", Locale("de"), {"Names": ("Namen " * 40,)})
    rendered = render(Reply(Tone.INFO, title), language=long)
    assert violations(rendered.text, rendered.blocks) == []
    assert rendered.blocks[0]["type"] == "section"
    assert rendered.blocks[0]["text"]["text"].count("Namen") == 40


def test_a_list_has_the_languages_own_comma() -> None:
    japanese = Language(
        "ja", "日本語", Locale("ja"), {", ": ("、",), "none": ("なし",), "{names}": ("{names}です",)}
    )
    assert (
        mrkdwn(say("{names}", names=("a.test", "b.test")), japanese) == "`a.test`、\u200b`b.test`\u200bです"
    )
    assert mrkdwn(say("{names}", names=()), japanese) == "なしです"


def test_a_translation_is_escaped_like_any_text() -> None:
    wicked = Language("de", "Deutsch", Locale("de"), {"Go": ("<!channel> & los",)})
    assert mrkdwn(say("Go"), wicked) == "&lt;!channel&gt; &amp; los"


def test_a_sentence_that_gets_a_plural_or_a_format_keeps_its_translation_where_one_form_is_all(
    tmp_path: Path,
) -> None:
    before = 'msgid "{count} days"\nmsgstr "{count}일"\n\nmsgid "{n} of {m}"\nmsgstr "{m} 중 {n}"\n'
    path = po(tmp_path, "ko", before)
    path.write_text(HEAD.format(code="ko") + "\n" + before, encoding="utf-8")
    days = Message("{count:,} day", "{count:,} days", ("a.py",))
    path.write_text(updated(path, (days, Message("{n:,} of {m}", "", ("a.py",)))), encoding="utf-8")
    korean = loaded(tmp_path, "ko")
    assert korean.plain(say_n("{count:,} day", "{count:,} days", count=4210)) == "4,210일"
    assert korean.plain(say("{n:,} of {m}", n=1, m=2)) == "2 중 1"


@pytest.mark.parametrize("base", ["", '||||||| base\nmsgid "Go"\nmsgstr ""\n\n'])
def test_an_update_takes_what_both_sides_of_a_conflict_have(tmp_path: Path, base: str) -> None:
    ours = 'msgid "Go"\nmsgstr "Los"\n\nmsgid "Ours"\nmsgstr "Unser"\n\n'
    theirs = 'msgid "Go"\nmsgstr ""\n\nmsgid "Theirs"\nmsgstr "Ihr"\n\n'
    body = f"<<<<<<< HEAD\n{ours}{base}=======\n{theirs}>>>>>>> main\n"
    path = po(tmp_path, "de", body, GO, Message("Ours", "", ("a.py",)), Message("Theirs", "", ("a.py",)))
    german = loaded(tmp_path, "de")
    assert [german.plain(say("{x}", x=Text(one))) for one in ("Go", "Ours", "Theirs")] == [
        "Los",
        "Unser",
        "Ihr",
    ]
    assert "<<<<" not in path.read_text(encoding="utf-8")


def test_a_row_from_before_a_plural_came_is_shown_without_it(tmp_path: Path) -> None:
    message = Message("one thing of {name}", "{count} things of {name}", ("a.py",))
    body = (
        'msgid "one thing of {name}"\nmsgid_plural "{count} things of {name}"\nmsgstr[0] "{name} {count}개"\n'
    )
    po(tmp_path, "ko", body, message)
    korean = loaded(tmp_path, "ko")
    assert korean.plain(say_n(message.one, message.many, count=1, name="x")) == "x 1개"
    assert korean.plain(from_json({"text": message.one, "values": {"name": "x"}})) == "one thing of x"
