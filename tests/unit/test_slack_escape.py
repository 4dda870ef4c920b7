"""Values from outside can become no mention, link, emoji or formatting, whatever they hold."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.escape import (
    MAX_LISTED,
    clip,
    code,
    fit,
    mrkdwn,
    names_somebody,
    plain,
    preformatted,
    size,
    value_mrkdwn,
)
from services.model.text import say

_SPAN = re.compile(r"`[^`]*`")
_TOKEN = re.compile(r"<!date\^-?\d+\^\{date_short_pretty\} \{time\}\|\d{1,4}-\d\d-\d\d \d\d:\d\d UTC>")
_HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("<>&*_~`:@#!|\n\r\t\u202e\u2028\u2066 .ab\ud800"), st.characters()),
    max_size=600,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Moon Support", "Moon Support"),
        ("shop.moon.test", "`shop.moon.test`"),
        ("한국.test", "`한국.test`"),
        ("*.wild.moon.test", "`*.wild.moon.test`"),
        ("2001:db8::1", "`2001:db8::1`"),
        ("/ssl renew shop.moon.test", "`/ssl renew shop.moon.test`"),
        ("04ab34cd56ef7890", "`04ab34cd56ef7890`"),
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("*bold*", "`*bold*`"),
        ("snake_case here", "`snake_case here`"),
        ("~gone~", "`~gone~`"),
        ("tick`tock", "`tick\u02cbtock`"),
        ("party :tada: time", "`party :tada: time`"),
        ("see https://evil.test/ now", "`see https://evil.test/ now`"),
        ("> quoted", "`&gt; quoted`"),
        ("hello @here", "`hello @here`"),
        ("two\nlines\u2028and\ttabs", "two lines and tabs"),
        ("right\u202eto left", "rightto left"),
        ("", ""),
    ],
)
def test_what_becomes_of_a_value(value: str, shown: str) -> None:
    assert value_mrkdwn(value) == shown


def test_the_template_is_left_as_written_but_for_entities() -> None:
    assert mrkdwn(say("Type <name> & *wait* for {name}.", name="a.test")) == (
        "Type &lt;name&gt; &amp; *wait* for `a.test`."
    )


def test_a_moment_is_shown_in_the_readers_time_zone() -> None:
    moment = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)
    assert mrkdwn(say("until {at}.", at=moment)) == (
        "until <!date^1802268180^{date_short_pretty} {time}|2027-02-10 14:03 UTC>."
    )


def test_a_code_span_stands_apart_from_words_and_quotation_marks() -> None:
    assert mrkdwn(say("“{a}”x{a}y ({a}).", a="a.b")) == ("“\u200b`a.b`”x\u200b`a.b`\u200by (`a.b`).")


def test_a_long_list_says_how_many_are_left() -> None:
    names = tuple(f"n{number}.test" for number in range(MAX_LISTED + 5))
    shown = value_mrkdwn(names)
    assert shown.startswith("`n0.test`, `n1.test`")
    assert shown.endswith("and 5 more")
    assert value_mrkdwn(()) == "none"


def test_a_sentence_in_a_gap_is_a_sentence() -> None:
    inner = say("{name} is *ours*", name="<b>")
    assert mrkdwn(say("{inner}: {count:,}", inner=inner, count=1234)) == "&lt;b&gt; is *ours*: 1,234"


@given(_HOSTILE)
def test_no_value_is_formatted(value: str) -> None:
    shown = mrkdwn(say("before {value} after", value=value))
    outside = _SPAN.sub("", shown)
    assert not re.search(r"[<>*_~`]", outside)
    assert not re.search(r"[<>]", shown)
    assert not re.search(r":[^\s:]+:", outside)
    assert not re.search(r"&(?!amp;|lt;|gt;)", shown)
    assert "\n" not in shown
    shown.encode()  # no half of a surrogate pair is left


@given(_HOSTILE, st.datetimes(timezones=st.just(UTC)), st.integers(1, 200))
def test_a_cut_leaves_no_half_of_a_span_a_token_or_an_entity(value: str, at: datetime, limit: int) -> None:
    cut = fit(mrkdwn(say("{value} {at} {value} {names}", value=value, at=at, names=(value, "a.b"))), limit)
    assert size(cut) <= limit
    assert cut.count("`") % 2 == 0
    assert not re.search(r"[<>]", _TOKEN.sub("", cut))
    assert not re.search(r"&(?!amp;|lt;|gt;)", cut)


@given(_HOSTILE, st.integers(1, 50))
def test_plain_texts_have_no_angle_brackets_and_fit(value: str, limit: int) -> None:
    shown = clip(plain(say("{value}", value=value)), limit)
    assert size(shown) <= limit
    assert not re.search(r"[<>\n]", shown)


def test_preformatted_lines_keep_their_blanks_and_close_no_fence() -> None:
    assert preformatted("  a\tb ``` <c>") == "  a b \u02cb\u02cb\u02cb &lt;c&gt;"


def test_emoji_count_as_slack_may_count_them() -> None:
    assert size("a🌙") == 3
    assert code("🌙" * 400).count("🌙") == 174


def test_a_person_is_shown_by_name_where_the_sentence_speaks_of_one() -> None:
    text = "{person} has acknowledged it"
    assert mrkdwn(say(text, person="U0ONCALL")) == "<@U0ONCALL> has acknowledged it"
    assert mrkdwn(say("{why}.", why=say(text, person="W012A3CDE"))) == "<@W012A3CDE> has acknowledged it."
    assert mrkdwn(say("See {name}", name="U0ONCALL")) == "See U0ONCALL"


def test_a_channel_of_this_workspace_is_shown_by_name_and_any_other_value_stays_as_it_is() -> None:
    assert mrkdwn(say("The channel {room} is linked", room="C0SUN")) == "The channel <#C0SUN> is linked"
    assert names_somebody(say("{who} is linked", who=say("{room}", room="C0SUN")))
    for value in ("T9/C0SUN", "C0SUN> <!here", "general", "U0ONCALL"):
        assert "<" not in mrkdwn(say("The channel {room} is linked", room=value))
        assert not names_somebody(say("The channel {room} is linked", room=value))
    assert "<" not in mrkdwn(say("The channel {channel} is linked", channel="C0SUN"))


@pytest.mark.parametrize(
    "value", ["T0MOON/U0ONCALL", "terminal", "U0", "u0oncall", "U0ONCALL> <!here", "<@U0ONCALL>"]
)
def test_what_is_no_id_of_a_person_is_text(value: str) -> None:
    assert "<" not in mrkdwn(say("By {person}", person=value))
