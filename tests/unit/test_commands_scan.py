"""/ssl scan: who may ask, how far it is, what it found, its files, and what a merchant is told once."""

import csv
import io
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bot.attachments import made, scan_csv
from bot.slack.limits import violations
from bot.slack.render import render
from bot.text.language import Language, languages
from commands import messages, requests, scan_view
from commands.attachment import Attachment
from commands.caller import Caller
from commands.dispatch import dispatch
from commands.reply import Composed, Hint, Outcome, Paragraph, Row, Rows, Tone
from services import linking
from services.model.audiences import Kind as Audience
from services.model.errors import LeaseLostError
from services.model.scans import Advice, Kind, Site
from services.model.settings import Scanning
from services.model.stores import Store, StoreStatus
from services.ports import Message, Request
from services.scanning import sites
from services.scanning.crawl import Outside
from services.scanning.running import Scanner
from services.scanning.sites import Sites
from services.scanning.themes import FolderThemes, NoThemes
from tests.desks import MOON, NOW, STRANGER, SUPPORT, Bench
from tests.unit.commands_world import make_bench, only
from tests.unit.test_scanning_crawl import HOME, HOST, Web

BAD = (
    "<script src=http://cdn.test/x.js></script><img src=http://cdn.test/y.png>"
    "<form action=http://pay.test/in></form><a href=http://shop.moon.test/a>a</a>"
)
WEEK = timedelta(days=7)
LANGUAGES = pytest.mark.parametrize("language", languages(), ids=lambda one: one.code)


@dataclass
class World:
    """A bench with a shop on the web, and what scans it."""

    bench: Bench = field(default_factory=make_bench)
    web: Web = field(default_factory=Web)
    themes: Any = field(default_factory=NoThemes)
    automatic: bool = True
    now: float = 0

    def __post_init__(self) -> None:
        self.web.put(f"http://{HOST}/", status=301, location=HOME)
        self.web.put(HOME, BAD)

    @property
    def sites(self) -> Sites:
        settings = Scanning(paths=(), pages=5)
        outside = Outside(self.web, settings, lambda _: None, lambda: self.now)
        scanner = Scanner(outside, self.themes, lambda: self.bench.now)
        return Sites(self.bench.storage, scanner, lambda: self.bench.now, automatic=self.automatic)

    def say(self, text: str = f"scan {HOST}", caller: Caller = SUPPORT) -> Outcome:
        return dispatch(text, caller, self.bench.desk)

    def ask(self, text: str = f"scan {HOST}", caller: Caller = SUPPORT, channel: str = "D1") -> list[Message]:
        """Ask in Slack, and return the messages that are owed."""
        request = Request(
            f"req_{channel}",
            f"d_{channel}",
            "T1",
            caller.person.partition("/")[2],
            channel,
            text,
            self.bench.now,
        )
        with self.bench.storage.write() as tx:
            tx.requests.add(request)
            [claimed] = tx.requests.claim(self.bench.now, timedelta(minutes=1), 1)
        requests.perform(self.bench.desk, claimed, caller)
        return sorted(self.owed(), key=lambda one: one.kind)

    def owed(self) -> list[Message]:
        with self.bench.storage.write() as tx:
            return list(tx.outbox.claim(self.bench.now, timedelta(0), 20))

    def work(self) -> list[Site]:
        """Scan what is due, as the pump does."""
        with self.bench.storage.write() as tx:
            due = tx.scans.claim(self.bench.now, sites.LEASE, 10)
        return [self.sites.scan(site) for site in due]

    def compose(self, message: Message) -> Composed:
        return messages.compose(self.bench.desk, message)

    def row(self) -> Site:
        with self.bench.storage.read() as tx:
            found = tx.scans.get(HOST)
        assert found is not None
        return found

    def link(self, channel: str = "C_MOON") -> None:
        linking.link(self.bench.desk, Audience.CHANNEL, channel, "moon", "T1/U_SUPPORT")


@pytest.fixture
def world() -> World:
    return World()


def sound(composed: Composed, language: Language) -> None:
    shown = render(composed.reply, language=language)
    assert violations(shown.text, shown.blocks) == []


# --- asking


def test_it_is_asked_for_once_and_by_whoever_may(world: World) -> None:
    first, second = world.say(), world.say(caller=MOON)
    assert first.follows == second.follows == (f"scan:{HOST}",)
    assert (first.reply.private, second.reply.private) == (False, True)
    assert first.data == second.data
    assert world.bench.woken == 2
    assert world.say(caller=STRANGER).denied


@pytest.mark.parametrize("name", ["sun.test", "nowhere.test"])
def test_another_stores_name_is_as_unknown_as_any(world: World, name: str) -> None:
    outcome = world.say(f"scan {name}", MOON)
    assert outcome.exit_code == 1
    assert outcome.reply.title.plain() == f"No such name: {name}"
    assert not world.work()


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("/a /b /a", ("/a", "/b")),
        (f"https://{HOST}/a?x=1#y", ("/a?x=1",)),
        (f"<https://{HOST}/b>", ("/b",)),
        (f"<http://{HOST}/c|{HOST}/c>", ("/c",)),
    ],
)
def test_pages_are_given_as_paths_or_addresses_of_the_name(
    world: World, words: str, paths: tuple[str, ...]
) -> None:
    world.say(f"scan {HOST} {words}")
    assert world.row().paths == paths


@pytest.mark.parametrize("word", ["https://sun.test/", "//sun.test/", "checkout", "https://[", "ftp://x/"])
def test_what_is_no_page_of_the_name_is_a_mistake(world: World, word: str) -> None:
    outcome = world.say(f"scan {HOST} {word}")
    assert outcome.exit_code == 2
    assert word in outcome.reply.title.plain()


def test_too_many_pages_and_a_wildcard_are_mistakes_and_so_is_nothing(world: World) -> None:
    many = " ".join(f"/{number}" for number in range(21))
    assert [world.say(f"scan {rest}").exit_code for rest in (f"{HOST} {many}", "*.moon.test", "")] == [2] * 3


def test_the_pages_of_a_deleted_store_are_nobodys(world: World) -> None:
    with world.bench.storage.write() as tx:
        tx.stores.put(Store("moon", StoreStatus.DELETED))
    assert world.say().exit_code == 1


# --- in Slack


@LANGUAGES
def test_one_message_says_how_far_it_is_and_then_the_worst(world: World, language: Language) -> None:
    card, files = world.ask()
    assert (card.kind, files.kind, files.thread) == (scan_view.MESSAGE, scan_view.FILES, card.key)
    begun = world.compose(card)
    assert (begun.final, begun.reply.tone) == (False, Tone.PROGRESS)
    assert world.compose(files).quiet
    assert not world.compose(files).final
    world.work()
    done = world.compose(card)
    assert done.final
    assert done.reply.title.plain() == f"4 things on the pages of {HOST} are not over https"
    [rows] = only(done.reply, Rows)
    shown: list[Row] = list(rows.rows)
    assert [row.name for row in shown][:3] == [
        "http://cdn.test/x.js",
        "http://pay.test/in",
        "http://cdn.test/y.png",
    ]
    sound(begun, language)
    sound(done, language)


def test_both_messages_wait_for_the_scan_and_are_due_when_it_is_done(world: World) -> None:
    for message in world.ask():
        with world.bench.storage.write() as tx:
            tx.outbox.delivered(message, "1.1", final=False)
    assert world.owed() == []
    world.work()
    assert {one.kind for one in world.owed()} == {scan_view.MESSAGE, scan_view.FILES}


def test_the_files_come_in_the_thread_and_private_ones_by_themselves(world: World) -> None:
    card, files = world.ask(caller=MOON, channel="C1")
    assert (card.private, files.private, files.thread) == (True, True, "")
    world.work()
    composed = world.compose(files)
    assert composed.reply.private
    assert [one.kind for one in only(composed.reply, Attachment)] == ["scan.html", "scan.csv"]


def test_a_shop_without_problems_has_no_files(world: World) -> None:
    world.web.put(HOME, "<p>well</p>")
    card, files = world.ask()
    world.work()
    assert world.compose(card).reply.tone is Tone.GOOD
    assert (world.compose(files).quiet, world.compose(files).final) == (True, True)


def test_who_asks_while_it_comes_round_by_itself_is_answered_by_a_scan_of_their_own(world: World) -> None:
    world.say()
    world.work()
    world.bench.now = NOW + WEEK
    with world.bench.storage.write() as tx:
        [running] = tx.scans.claim(world.bench.now, sites.LEASE, 1)
    world.bench.now += timedelta(minutes=1)
    card, _ = world.ask()
    assert not world.compose(card).final
    world.sites.scan(running)
    assert not world.compose(card).final
    world.work()
    assert world.compose(card).final


def test_a_name_that_left_the_store_is_told_nothing_of(world: World) -> None:
    card, files = world.ask()
    world.bench.store("sun", HOST)
    [done] = world.work()
    assert (done.scan, world.web.asked) == (None, [])
    assert "has left the store" in world.compose(card).reply.title.plain()
    assert world.compose(files).quiet
    world.say(caller=SUPPORT)
    world.work()
    assert world.compose(card).reply.title.plain() == "certdesk no longer knows this scan"


def test_no_answer_over_https_is_a_finding_of_the_platforms(world: World) -> None:
    del world.web.pages[HOME]
    card, _ = world.ask()
    world.work()
    composed = world.compose(card)
    assert composed.reply.title.plain() == f"No page of {HOST} could be looked at"


# --- the pump's side


def test_a_scan_that_is_stopped_stays_due_and_keeps_nothing(world: World) -> None:
    world.say()
    with world.bench.storage.write() as tx:
        [site] = tx.scans.claim(NOW, sites.LEASE, 1)
    world.sites.scan(site, lambda: False)
    assert (world.row().scan, world.row().lease_until) == (None, None)
    assert len(world.work()) == 1


def test_a_scan_that_another_one_has_taken_over_saves_nothing(world: World) -> None:
    world.say()
    with world.bench.storage.write() as tx:
        [site] = tx.scans.claim(NOW, sites.LEASE, 1)
        tx.scans.seize(HOST, NOW, sites.LEASE)
    with pytest.raises(LeaseLostError):
        world.sites.scan(site)
    assert world.row().scan is None


def test_after_a_fault_of_our_own_it_is_tried_a_little_later(world: World) -> None:
    world.say()
    with world.bench.storage.write() as tx:
        [site] = tx.scans.claim(NOW, sites.LEASE, 1)
    world.sites.postpone(site)
    assert world.work() == []
    world.bench.now += sites.AFTER_A_FAULT
    assert len(world.work()) == 1


# --- by itself


def line_of(composed: Composed) -> str:
    return str(only(composed.reply, Paragraph)[0].text.plain())


def told(world: World) -> list[Message]:
    return [one for one in world.owed() if one.kind == sites.NEWS]


@LANGUAGES
def test_a_merchant_is_told_once_and_then_how_they_get_on(world: World, language: Language) -> None:
    world.link()
    world.say()
    world.work()
    [news] = told(world)
    assert (news.channel, news.private) == ("C_MOON", False)
    first = world.compose(news)
    assert line_of(first) == "4 things are not over https."
    sound(first, language)
    for body, line, final in (
        ("<img src=http://cdn.test/y.png>", "Not over https: 4 → 1.", False),
        ("<p>well", "Not over https: 4 → 0.", True),
    ):
        world.web.put(HOME, body)
        world.bench.now += WEEK
        assert len(world.work()) == 1
        [again] = told(world)
        composed = world.compose(again)
        assert again.key == news.key
        assert line_of(composed) == line
        assert composed.final is final
        sound(composed, language)
    world.bench.now += 4 * WEEK
    assert world.work() == []


def test_what_comes_up_again_later_is_told_anew(world: World) -> None:
    world.link()
    keys = set()
    for body in (BAD, "<p>", BAD):
        world.web.put(HOME, body)
        world.bench.now += timedelta(hours=1)
        world.say()
        world.work()
        keys |= {one.key for one in told(world)}
    assert len(keys) == 2


def test_a_channel_of_another_store_is_told_nothing(world: World) -> None:
    world.link()
    world.say()
    world.work()
    [news] = told(world)
    linking.link(world.bench.desk, Audience.CHANNEL, "C_MOON", "sun", "T1/U_SUPPORT")
    composed = world.compose(news)
    assert composed.final
    assert composed.quiet  # who reads there now need not learn of another store
    assert "not for this channel any more" in composed.reply.title.plain()
    assert not world.compose(replace(news, ts="1.1")).quiet


def test_what_is_found_for_the_store_that_has_the_name_now_is_not_told_to_the_one_before(
    world: World,
) -> None:
    """The message follows the name, whose pages are another store's by now."""
    world.link()
    world.say()
    world.work()
    [news] = told(world)
    world.bench.store("sun", HOST)
    world.say(caller=SUPPORT)
    world.work()
    composed = world.compose(replace(news, ts="1.1"))
    assert composed.final
    assert "not for this channel any more" in composed.reply.title.plain()


def test_where_nothing_is_automatic_nobody_is_told_and_nothing_comes_round(world: World) -> None:
    world.automatic = False
    world.link()
    world.say()
    world.work()
    assert told(world) == []
    assert world.row().run_after is None


def test_a_look_at_one_page_says_nothing_of_the_whole_which_follows(world: World) -> None:
    world.link()
    world.say(f"scan {HOST} /")
    [done] = world.work()
    assert (done.count, told(world)) == (None, [])
    world.bench.now += timedelta(minutes=5)
    [whole] = world.work()
    assert whole.count == 4
    assert len(told(world)) == 1


# --- the files


def files(world: World) -> dict[str, Attachment]:
    world.say()
    [done] = world.work()
    assert done.scan is not None
    return {one.kind: one for one in scan_view.attached(done.scan)}


@pytest.mark.parametrize(
    "begin",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\N{NO-BREAK SPACE}=1"]
    + [f"{mark}1" for mark in "\uff1d\uff0b\uff0d\uff20"],
)
def test_no_cell_is_a_formula(begin: str) -> None:
    assert scan_csv.cell(begin) == f"'{begin}"
    assert scan_csv.cell([begin]) == f"'{begin}"
    assert (scan_csv.cell("http://a.test/=1"), scan_csv.cell(3), scan_csv.cell(True)) == (
        "http://a.test/=1",
        "3",
        "yes",
    )


@pytest.mark.parametrize("between", ";\t|\n")
def test_no_part_of_a_cell_is_a_formula_wherever_a_spreadsheet_parts_them(between: str) -> None:
    """Where a decimal comma is usual, Excel parts the lines of a CSV at semicolons."""
    assert (
        scan_csv.cell(f"http://a.test/{between}=HYPERLINK(A1)") == f"http://a.test/{between}'=HYPERLINK(A1)"
    )
    assert scan_csv.cell("http://a.test/;x=1") == "http://a.test/;x=1"


def test_the_table_has_a_line_for_each_place(world: World) -> None:
    written = made(files(world)["scan.csv"], languages()[0]).content.decode()
    rows = list(csv.DictReader(io.StringIO(written)))
    assert [row["class"] for row in rows] == ["blockable", "form", "upgradeable", "navigational"]
    assert {row["page"] for row in rows} == {HOME}


class _Tags(HTMLParser):
    """Keeps which elements and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@LANGUAGES
def test_the_page_is_inert_whatever_a_shop_holds(world: World, language: Language) -> None:
    nasty = "http://a.test/&quot;><script>alert(1)</script><img src=x onerror=alert(1)>"
    world.web.put(HOME, f"<img src='{nasty}'><img src=\"http://b.test/'x.png\">")
    page = made(files(world)["scan.html"], language).content.decode()
    read = _Tags()
    read.feed(page)
    assert not read.tags & {"script", "img", "a", "link", "iframe", "form", "object", "base"}
    assert read.attributes <= {"lang", "charset", "http-equiv", "content", "class"}
    assert "default-src 'none'" in page
    assert "alert(1)" in page
    assert f'lang="{language.code}"' in page


def test_a_theme_that_can_be_read_gives_a_patch_and_places(world: World, tmp_path: Path) -> None:
    (tmp_path / "moon").mkdir()
    (tmp_path / "moon" / "head.html").write_text("<p>\n<img src=http://cdn.test/y.png>\n")
    for scheme in ("http", "https"):
        world.web.put(f"{scheme}://cdn.test/y.png", "png", "image/png")
    world.themes = FolderThemes(f"{tmp_path}/{{store}}")
    card, _ = world.ask()
    [done] = world.work()
    assert done.scan is not None
    [patch] = [one for one in scan_view.attached(done.scan) if one.kind == "scan.patch"]
    written = made(patch, languages()[0]).content.decode()
    assert "+<img src=https://cdn.test/y.png>" in written.splitlines()
    assert "head.html:2" in [place for one in done.scan.problems for place in one.places]
    assert any("scan.patch" in hint.text.plain() for hint in only(world.compose(card).reply, Hint))


def test_every_class_and_every_advice_has_its_words() -> None:
    assert set(scan_view.KINDS) == set(scan_view.COUNTED) == set(scan_view.BRIEFLY) == set(Kind)
    assert set(scan_view.ADVICE) == set(Advice)


@LANGUAGES
def test_a_shop_with_very_much_wrong_is_shown_within_slacks_limits(world: World, language: Language) -> None:
    long = "x" * 2000
    world.web.put(HOME, "".join(f"<img src=http://cdn.test/{number}{long}>" for number in range(300)))
    card, _ = world.ask()
    world.work()
    composed = world.compose(card)
    sound(composed, language)
    assert sum(len(rows.rows) for rows in only(composed.reply, Rows)) == scan_view.MOST
    assert replace(composed.reply, parts=()).title.plain().startswith("300 things")


@LANGUAGES
def test_whatever_a_shops_servers_say_fits_and_is_no_mark_up_of_slacks(
    world: World, language: Language
) -> None:
    """A type, a detail and a redirect of 60,000 characters each, and a URL that would call everybody."""
    world.web.put(HOME, "<img src='http://a.test/<!channel>*_~`|@here'><a href=/a>a</a><a href=/b>b</a>")
    world.web.put(f"{HOME}a", "x", "<!channel>" * 6000)
    world.web.put(f"{HOME}b", status=302, location=f"http://shop.moon.test/{'<!here>' * 500}")
    card, _ = world.ask()
    world.work()
    composed = world.compose(card)
    sound(composed, language)
    shown = render(composed.reply, language=language)
    written = json.dumps(shown.blocks) + shown.text
    assert "<!channel>" not in written
    assert "<!here>" not in written
    assert "@here" not in written.replace("|@here`", "")  # within a code span, where it is text
