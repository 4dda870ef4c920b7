"""Precision and recall of the scan on the fixture site, and how it reads what browsers read in their own way."""

import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.model.scans import Kind
from services.scanning import attributes, pages, policies, scripts, sheets, styles, urls
from services.scanning.policies import Mitigations
from tests import planted
from tests.browser.other_scanners import MIXED, bramus, spatie

PAGE = "https://shop.moon.test/a/page.html"


def _read(html: str, *csp: str) -> list[tuple[str, str, str, int, str]]:
    page = pages.read(html, PAGE, lambda host: host == planted.HOST, csp)
    return [(one.url, one.element, one.attribute, one.line, one.kind.value) for one in page.found]


def test_the_fixture_site_is_as_large_as_promised() -> None:
    assert len(planted.planted()) >= 60
    assert len(planted.traps()) >= 40
    numbers = [one.number for one in planted.planted()]
    assert len(numbers) == len(set(numbers))


def test_precision_and_recall_on_the_fixture_site() -> None:
    found = [planted.label(one.url) for one in planted.found()]
    wanted = {(one.number, one.kind) for one in planted.planted()}
    right = [label for label in found if label in wanted]
    precision, recall = len(right) / len(found), len(set(right)) / len(wanted)
    assert precision >= 0.99
    assert recall >= 0.95


def test_the_document_says_how_many_there_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scanning.md").read_text("utf-8")
    count, traps = len(planted.planted()), len(planted.traps())
    assert f"{count} planted problems and {traps} traps" in page
    assert f"| certdesk | {count}, each in its class | none |" in page
    assert f"Found of {count}" in page
    assert len({planted.label(one.url) for one in planted.found()}) == count


def test_the_document_says_what_others_look_for() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scanning.md").read_text("utf-8")
    one, two = spatie(), bramus()
    assert (
        f"gives {one.found} with {one.false} of {one.reported} false, and {two.found} with {two.false} of {two.reported}."
        in page
    )
    mixed = sum(one.kind in MIXED for one in planted.planted())
    assert page.count(f"of those {mixed}") == 2
    assert f"(of {mixed} that browsers block or upgrade" in page


def test_what_is_found_is_where_it_stands() -> None:
    places = {one.number: (one.source, one.line) for one in planted.planted()}
    for one in planted.found():
        label = planted.label(one.url)
        assert label is not None, one
        source, line = places[label[0]]
        assert one.source == planted.url(source)
        assert line - 1 <= one.line <= line, (
            one
        )  # a URL that begins with a line's end begins on the line before


def test_what_the_policy_mitigates_is_marked_so() -> None:
    marks = {one.number: one.mark for one in planted.planted()}
    for one in planted.found():
        label = planted.label(one.url)
        assert label is not None
        assert one.mitigated == (marks[label[0]] == "u"), one


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://a.test/x", "http://a.test/x"),
        (" \tHTTP://a.test/x\n", "http://a.test/x"),
        ("http:a.test/x", "http://a.test/x"),
        ("http:\\\\a.test\\x", "http://a.test/x"),
        ("ht\ntp://a.test/x", "http://a.test/x"),
        ("ws://a.test/x", "ws://a.test/x"),
        ("https://a.test/?u=http://b.test/", None),
        ("//a.test/x", None),
        ("/http://a.test", None),
        ("http://", None),
        ("http://localhost:3000/x", None),
        ("http://app.localhost/x", None),
        ("http://127.9.9.9/x", None),
        ("http://[::1]/x", None),
        ("http://[::ffff:127.0.0.1]/x", None),
        ("http://2130706433/x", None),
        ("http://0x7f.1/x", None),
        ("http://0177.0.0.1/x", None),
        ("http://\uff11\uff12\uff17.0.0.1/x", None),
        ("http://%6cocalhost/x", None),
        ("http://localhost./x", None),
        ("http://u:p@localhost:8/x", None),
        ("http://[2001:db8::1]:80/x", "http://[2001:db8::1]:80/x"),
        ("http://3232235777/x", "http://3232235777/x"),
        ("http://a_b.test:/x", "http://a_b.test:/x"),
        ("http://caf\u00e9.test/x", "http://caf\u00e9.test/x"),
        ("http://{host}/x", "http://{host}/x"),
        ("http://a|b.test/x", None),
        ("http://a%zz.test/x", None),
        ("http://a.test:99999/x", None),
        ("http://a.test:x/", None),
        ("http://1.2.3.256/x", None),
        ("http://1.2.3.4.5/x", None),
        ("http://08.1/x", None),
        ("http://a.9/x", None),
        ("http://[::g]/x", None),
        ("http://[::1/x", None),
        ("http://" + "9" * 5000 + "/x", None),
        ("ftp://a.test/x", None),
        ("", None),
    ],
)
def test_a_url_is_read_as_browsers_read_it(value: str, expected: str | None) -> None:
    assert urls.insecure(value, PAGE) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.test/x", Kind.UPGRADEABLE),
        ("http://10.9.9.9/x", Kind.BLOCKABLE),
        ("http://168364297:80/x", Kind.BLOCKABLE),
        ("http://0x0a.0x09.9.9/x", Kind.BLOCKABLE),
        ("http://[2001:db8::1]/x", Kind.BLOCKABLE),
    ],
)
def test_at_an_address_however_it_is_written_nothing_is_upgraded(url: str, expected: Kind) -> None:
    assert urls.settled(Kind.UPGRADEABLE, url) is expected
    assert urls.settled(Kind.FORM, url) is Kind.FORM


def test_below_an_insecure_base_everything_relative_is_insecure() -> None:
    assert urls.insecure("x.js", "http://a.test/b/") == "http://a.test/b/x.js"
    assert urls.insecure("//c.test/x.js", "http://a.test/b/") == "http://c.test/x.js"
    assert urls.insecure("https://c.test/x.js", "http://a.test/b/") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.png", ["a.png"]),
        ("a.png 1x, b.png 2x", ["a.png", "b.png"]),
        ("a.png, b.png", ["a.png", "b.png"]),
        ("a,b.png 1x", ["a,b.png"]),
        (" ,, a.png 1x (x, y) , b.png", ["a.png", "b.png"]),
        ("", []),
    ],
)
def test_candidates_of_an_image_set(value: str, expected: list[str]) -> None:
    assert list(attributes.srcset(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", []),
        ("5; url=http://a.test/", ["http://a.test/"]),
        ("0;URL='http://a.test/x'y", ["http://a.test/x"]),
        (".5 , 'http://a.test/x'", ["http://a.test/x"]),
        ("5;http://a.test/", ["http://a.test/"]),
        ("url=http://a.test/", []),
    ],
)
def test_targets_of_a_refresh(value: str, expected: list[str]) -> None:
    assert [url for url in attributes.refresh(value) if url] == expected


def test_a_policy_in_a_header_holds_for_the_whole_page_and_all_its_kinds() -> None:
    html = (
        "<script src=http://a.test/1></script><img src=http://a.test/2><form action=http://a.test/3></form>"
    )
    page = pages.read(html, PAGE, lambda _: False, ("default-src 'self'; UPGRADE-insecure-requests",))
    assert [one.mitigated for one in page.found] == [True, True, True]


def test_blocking_all_mixed_content_keeps_images_alone_from_being_asked_for() -> None:
    mitigated = policies.mitigations(("block-all-mixed-content",))
    assert mitigated == Mitigations(block=True)
    assert mitigated.cover(Kind.UPGRADEABLE, own=False)
    assert not mitigated.cover(Kind.FORM, own=False)


def test_a_policy_in_the_body_is_none() -> None:
    html = "<body><meta http-equiv=Content-Security-Policy content=upgrade-insecure-requests><img src=http://a.test/2>"
    page = pages.read(html, PAGE, lambda _: False)
    assert [one.mitigated for one in page.found] == [False]


def test_links_and_sheets_of_a_page_are_absolute() -> None:
    html = (
        "<base href=/b/><link rel=stylesheet href=s.css><a href='c?x#y'>c</a><style>@import 'i.css';</style>"
    )
    page = pages.read(html, PAGE, lambda _: False)
    assert page.links == ["https://shop.moon.test/b/c?x#y"]
    assert page.sheets == ["https://shop.moon.test/b/s.css", "https://shop.moon.test/b/i.css"]


def test_a_sheet_says_property_and_line() -> None:
    sheet = sheets.read("a{}\nb { background: url(http://a.test/x.png) }", PAGE, Mitigations(upgrade=True))
    assert [(one.element, one.attribute, one.line, one.mitigated) for one in sheet.found] == [
        ("background", "url", 2, True)
    ]


def test_mark_up_within_strings_of_scripts_is_likely_and_at_the_line_of_the_string() -> None:
    html = '<script>\nw("<iframe src=http://a.test/x></iframe>")</script>'
    assert _read(html) == [("http://a.test/x", "script", "text", 2, "likely")]


@pytest.mark.parametrize(
    "type_", ["text/x-jquery-tmpl", "text/ng-template", "x-tmpl-mustache", "text/x-mustache", "text/html"]
)
def test_a_script_that_is_a_template_is_read_as_one(type_: str) -> None:
    html = f"<script type={type_}>\n<img src=http://a.test/x> http://a.test/y.png</script>"
    assert _read(html) == [("http://a.test/x", "img", "src", 2, "likely")]


def test_mark_up_that_is_unescaped_to_be_written_is_read() -> None:
    html = (
        """<script>document.write(unescape("%3Cscript src='http://a.test/x.js'%3E%3C/script%3E"))</script>"""
    )
    assert _read(html) == [("http://a.test/x.js", "script", "text", 1, "likely")]
    assert _read("<script>s = 'https://a.test/?u=%3Cb%3E http://a.test/x'</script>") == []


def test_a_sheet_in_which_nothing_insecure_can_stand_is_not_read() -> None:
    assert list(styles.references("a { background: url(https://a.test/x.png) }")) == []


HOSTILE = {
    "nested": "<div>" * 60_000 + "<img src=http://a.test/x>",
    "formatting": "<b><i>" * 5_000 + "<img src=http://a.test/x>",
    "tables": "<table><tr><td>" * 3_000 + "<img src=http://a.test/x>",
    "frames": "<iframe srcdoc='" * 500,
    "noscripts": "<noscript>" * 2_000 + "<img src=http://a.test/x>",
    "attributes": "<p " + " ".join(f"a{n}=http://a.test/{n}" for n in range(20_000)) + ">",
    "quotes": "<script>" + "\\'" * 100_000 + "http:</script>",
    "comments": "<script>http:" + "/*" * 100_000 + "</script>",
    "templates": "<script>http:" + "`${" * 50_000 + "</script>",
    "regexes": "<script>http:" + "=/[" * 50_000 + "</script>",
    "blocks": "<style>" + "a{" * 30_000 + "b: url(http://a.test/x)</style>",
    "brackets": "<style>a { b: " + "(" * 50_000 + "url(http://a.test/x)</style>",
    "sets": "<img srcset='" + "http://a.test/x (," * 20_000 + "'>",
    "import map": '<script type=importmap>{"imports": ' + "[" * 50_000 + "http:</script>",
    "nothing": "\0\0\0<\0>",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_page_ends_soon(name: str) -> None:
    begun = time.thread_time()  # what it computes, not what it waits for beside other work
    pages.read(HOSTILE[name], PAGE, lambda _: False)
    assert time.thread_time() - begun < 10


_PIECES = st.sampled_from(
    [*"<>/='\"`;:{}()[]\\ \n\t&#!-,*", "http://a.test/x.js", "script", "style", "svg", "img", "src", "srcset", "url(",
     "@import", "template", "noscript", "iframe", "srcdoc", "base", "href", "meta", "content", "on", "<!--", "text/html"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=60).map("".join))
@example("<base href='http://[x'><img src=y>")
@example("<a href='//[x'>")
@example('<script type="importmap">[1]</script>')
@example('<script type="importmap">{"imports": 3, "scopes": {"a": []}}</script>')
@example("<script>'\\u{ffffffff}\\u{fffffff} http://a.test/x.js'</script>")
@example("<script>'\\ud800 http://a.test/x.js'</script>")
def test_no_page_is_too_strange(html: str) -> None:
    for one in pages.read(html, PAGE, lambda _: True).found:
        assert one.line >= 1
        assert one.url.startswith(("http://", "ws://"))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_no_script_and_no_sheet_is_too_strange(text: str) -> None:
    list(scripts.literals("http:" + text))
    list(styles.references("http:" + text))
    urls.insecure(text, "http://a.test/")
