"""What people type, paste and let editors change comes down to the same words; nothing a person types raises."""
# ruff: noqa: RUF001 - characters that look like others are what is tested here

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.words import split, tidy, visible

SLACK = [
    ("add shop.test", ("add", "shop.test")),
    ("  add \t shop.test \n", ("add", "shop.test")),
    (
        "add a.test,b.test; c.test\nd.test、e.test，f.test",
        ("add", "a.test", "b.test", "c.test", "d.test", "e.test", "f.test"),
    ),
    (
        "add \"a.test\" “b.test” «c.test» `d.test` 'e.test'",
        ("add", "a.test", "b.test", "c.test", "d.test", "e.test"),
    ),
    ('add --store "my store"', ("add", "--store", "my store")),
    ("add --store='my store'", ("add", "--store=my store")),
    ('add "a.test', ("add", '"a.test')),
    ("don't can't", ("don't", "can't")),
    ("add <http://shop.test|shop.test>", ("add", "shop.test")),
    ("add <https://shop.test/path?x=1&amp;y=2>", ("add", "https://shop.test/path?x=1&y=2")),
    ("add <http://shop.test|two words>", ("add", "http://shop.test")),
    ("add <http://shop.test|>", ("add", "http://shop.test")),
    ("add <mailto:a@b.test|a@b.test> <mailto:c@d.test>", ("add", "a@b.test", "c@d.test")),
    ("add *.<http://moon.test|moon.test>", ("add", "*.moon.test")),
    ("add <http://a.test|a.test><http://b.test|b.test>", ("add", "a.test", "b.test")),
    ("add <http://a.test|a.test>:443", ("add", "a.test:443")),
    ("add <@U123|bob> <!channel> <#C1|general>", ("add", "<@U123|bob>", "<!channel>", "<#C1|general>")),
    ("add &lt;!channel&gt; a&amp;b &amp;lt;", ("add", "<!channel>", "a&b", "&lt")),
    ("add — x — —store moon –csr −all", ("add", "—", "x", "—", "--store", "moon", "--csr", "--all")),
    ("add shop\u200b.te\ufeffst \u202eevil.test\u2066", ("add", "shop.test", "evil.test")),
    ("add می\u200cخواهم.test", ("add", "می\u200cخواهم.test")),
    ("add\u00a0a.test\u3000b.test", ("add", "a.test", "b.test")),
    ("add a\x00b\x1b[31m.test", ("add", "ab[31m.test")),
    ("add shop.test < b.test", ("add", "shop.test", "<", "b.test")),
    ("", ()),
    (" \u200b, ", ()),
    ('""', ()),
]


@pytest.mark.parametrize(("text", "words"), SLACK)
def test_words_of_a_slash_command(text: str, words: tuple[str, ...]) -> None:
    assert split(text) == words


SHELL = [
    (["add", "a.test,b.test"], ("add", "a.test", "b.test")),
    (["add", "a.test\nb.test"], ("add", "a.test", "b.test")),
    (["status", "—csr", "shop\u200b.test"], ("status", "--csr", "shop.test")),
    (["", " ", "x\udcff"], ("x",)),
    (["add", "<not-a-link>", "&amp;"], ("add", "<not-a-link>", "&amp;")),
]


@pytest.mark.parametrize(("given", "words"), SHELL)
def test_words_that_a_shell_has_split(given: list[str], words: tuple[str, ...]) -> None:
    assert tidy(given) == words


ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(
    "<>|\"'“”`,; —-&ltgmp;@!http:/.a\u200b\u200d"
)


@given(ANY_TEXT)
def test_no_text_raises_and_no_word_is_empty_or_holds_what_nobody_sees(text: str) -> None:
    for word in split(text) + tidy([text]):
        assert word
        assert visible(word) == word


@given(st.lists(st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){1,3}", fullmatch=True)))
def test_plain_words_come_through_unchanged(words: list[str]) -> None:
    assert split(" ".join(words)) == tuple(words)
    assert tidy(words) == tuple(words)
