"""What reads pages is a process of its own: bounded in time and memory, without secrets, and replaced when it fails."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from multiprocessing.connection import Connection
from typing import Any

import pytest

from services.model.scans import Kind
from services.model.settings import Scanning
from services.scanning import pages, scripts, sheets
from services.scanning.apart import Apart, UnreadError, here, serve
from services.scanning.crawl import Outside
from services.scanning.policies import Mitigations
from services.scanning.room import MOST_FOUND, MOST_NAME, MOST_PIECES
from services.scanning.running import Scanner
from services.scanning.sites import Own
from services.scanning.themes import NoThemes
from tests.desks import NOW
from tests.unit.test_scanning_crawl import HOME, HOST, Web

OWN = Own(frozenset({HOST}))
PAGE = "<script src=http://a.test/x.js></script>"
LONG = 600_000


def test_a_page_is_read_in_another_process_as_in_this_one() -> None:
    with Apart() as apart:
        first = apart(os.getpid)
        assert apart(pages.read, PAGE, HOME, OWN, ()) == pages.read(PAGE, HOME, OWN, ())
        assert first == apart(os.getpid) != os.getpid()


def test_what_does_not_end_is_ended_and_what_comes_next_is_read() -> None:
    with Apart(seconds=4) as apart:
        first = apart(os.getpid)
        with pytest.raises(UnreadError):
            apart(time.sleep, 3600)
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        assert apart(os.getpid) != first


@pytest.mark.parametrize(("function", "argument"), [(bytes, 10**11), (json.loads, "["), (os._exit, 0)])
def test_what_takes_too_much_memory_or_fails_is_unread(
    function: Callable[..., Any], argument: object
) -> None:
    with Apart() as apart:
        with pytest.raises(UnreadError):
            apart(function, argument)
        assert apart(len, "ab") == 2


def test_no_setting_of_certdesks_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTDESK_VAULT__KEY", "top secret")
    with Apart() as apart:
        assert apart(os.getenv, "CERTDESK_VAULT__KEY") is None


def test_it_ends_with_the_scan() -> None:
    with Apart() as apart:
        number = apart(os.getpid)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_it_serves_until_the_line_is_closed() -> None:
    ours, theirs = socket.socketpair()
    with Connection(ours.detach()) as line, Connection(theirs.detach()) as other:
        thread = threading.Thread(target=serve, args=(other,))
        thread.start()
        line.send((len, ("abc",), {}))
        assert line.recv() == 3
        line.close()
        thread.join(10)
        assert not thread.is_alive()


def _refusing(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    """Read as one that does not get to the end of the first page."""
    if HOME in arguments:
        raise UnreadError
    return here(function, *arguments, **named)


def test_a_page_that_cannot_be_read_in_time_is_said_to_be_so_and_the_others_are_read() -> None:
    web = Web()
    web.put(HOME, PAGE)
    web.put(f"{HOME}login", PAGE)
    settings = Scanning(paths=("/login",), pages=0)
    outside = Outside(web, settings, lambda _: None, lambda: 0.0, lambda: nullcontext(_refusing))
    scan = Scanner(outside, NoThemes(), lambda: NOW).scan(HOST, "moon", OWN)
    assert [one.page for one in scan.problems] == [f"{HOME}login"]
    skipped = {one.url: one.why.plain() for one in scan.skipped}
    assert skipped[HOME] == "It takes too long to read, so nothing is known of it."


# --- what is kept of a page


def _many(piece: str) -> str:
    return piece * (LONG // len(piece))


FULL = {
    "images": _many("<img src=http://a.test/x>"),
    "slashes": _many("<img/src=http://a.test/x>"),
    "entities": _many('<img src="http&#58;//a.test/x">'),
    "candidates": "<img srcset='" + _many("http://a.test/x 1x, ") + "'>",
    "declarations": "<p style='" + _many("a:url(http://a.test/x);") + "'>",
    "rules": "<style>" + _many("a{b:url(http://a.test/x)}") + "</style>",
    "strings": "<script>" + _many("s.src='http://a.test/x.js';\n") + "</script>",
    "modules": '<script type=importmap>{"imports":{'
    + ",".join(f'"{n}":"http://a.test/{n}"' for n in range(20_000))
    + "}}</script>",
    "pings": "<a ping='" + _many("http://a.test/x ") + "'>",
}
PIECES = {
    "written": "<script>" + _many("w('<img src=http://a.test/x>');\n") + "</script>",
    "drawn": "<script>" + _many("w('url(http://a.test/x)');\n") + "</script>",
    "frames": _many("<iframe srcdoc='<img src=http://a.test/x>'></iframe>"),
    "noscripts": _many("<noscript><img src=http://a.test/x></noscript>"),
    "templates": _many("<script type=text/template><img src=http://a.test/x></script>"),
}


@pytest.mark.parametrize("name", sorted(FULL))
def test_of_a_page_with_very_many_only_so_many_are_kept(name: str) -> None:
    page = pages.read(FULL[name], HOME, OWN)
    assert (len(page.found), page.cut) == (MOST_FOUND, True)


@pytest.mark.parametrize("name", sorted(PIECES))
def test_of_a_page_within_pages_only_so_many_are_read(name: str) -> None:
    page = pages.read(PIECES[name], HOME, OWN)
    assert (len(page.found), page.cut) == (MOST_PIECES, True)


def test_of_a_style_sheet_with_very_many_only_so_many_are_kept() -> None:
    sheet = sheets.read(_many("a{b:url(http://a.test/x)}"), HOME, Mitigations())
    assert (len(sheet.found), sheet.cut) == (MOST_FOUND, True)


def test_a_page_that_is_cut_is_said_to_be_so() -> None:
    web = Web()
    web.put(HOME, FULL["images"])
    outside = Outside(web, Scanning(paths=(), pages=0), lambda _: None, lambda: 0.0)
    scan = Scanner(outside, NoThemes(), lambda: NOW).scan(HOST, "moon", OWN)
    assert [one.why.plain() for one in scan.skipped] == [
        "It holds so much over http:// that only the first 2000 things are named."
    ]


def test_names_that_a_page_makes_up_are_kept_short() -> None:
    name = "x" * 10_000
    [found] = pages.read(f"<{name} on{name}=\"a.src='http://a.test/x.js'\">", HOME, OWN).found
    assert (len(found.element), len(found.attribute)) == (MOST_NAME, MOST_NAME)
    assert found.kind is Kind.LIKELY


def test_a_string_without_end_is_gone_through_no_square_of_times() -> None:
    """A regular expression that goes back at each step would hold every thread for hours."""
    assert list(scripts.literals("s.src='http://" + "a." * 500_000 + " x'")) == []
