"""What people paste instead of typing: addresses, pages of the platform, other scripts, lists; in commands and in modals alike."""
# ruff: noqa: RUF001 - characters that look like others are what is tested here

from dataclasses import replace
from typing import Any

import pytest

from commands import picking
from commands.caller import Caller, Role
from commands.dispatch import dispatch
from commands.pasted import meant, page_of, store
from commands.reply import Outcome
from commands.sheets import faults
from services.desk import Desk
from tests.desks import MOON, STRANGER, SUPPORT, Bench
from tests.unit.commands_world import make_bench
from tests.unit.sheet_world import Screen, ask, fields, options, send, shown

ADMIN = "https://admin.example.com/stores/{store}"
PAGE = "https://admin.example.com/stores/moon"
BOTH = ["shop.moon.test", "www.moon.test"]


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def desk(bench: Bench) -> Desk:
    made = bench.desk
    return replace(made, platform=replace(made.platform, admin_url=ADMIN))


PASTED = [
    ("shop.moon.test www.moon.test", BOTH),
    ("shop.moon.test, www.moon.test", BOTH),
    ("shop.moon.test;www.moon.test;", BOTH),
    ("shop.moon.test\nwww.moon.test\n", BOTH),
    ("shop.moon.test、www.moon.test", BOTH),
    ("shop.moon.test，www.moon.test", BOTH),
    ("https://shop.moon.test/cart?item=1,2;3#top", BOTH[:1]),
    ("https://shop.moon.test/cart,https://www.moon.test/", BOTH),
    ("https://shop.moon.test/a,b,www.moon.test", BOTH),
    ("http://user:secret@SHOP.Moon.test:8080/", BOTH[:1]),
    ("//shop.moon.test/x", BOTH[:1]),
    ("shop.moon.test:443, www.moon.test.", BOTH),
    ("“shop.moon.test” 'www.moon.test'", BOTH),
    ("<https://shop.moon.test/a,b|shop.moon.test/a,b> <http://www.moon.test|www.moon.test>", BOTH),
    ("ｓｈｏｐ．ｍｏｏｎ．ｔｅｓｔ", BOTH[:1]),
    ("shop。moon。test", BOTH[:1]),
    ("sh\u200bop.moon.test\ufeff", BOTH[:1]),
    ("한국.test", ["xn--3e0b707e.test"]),
    ("https://한국.test/상품", ["xn--3e0b707e.test"]),
    ("XN--3E0B707E.test", ["xn--3e0b707e.test"]),
]


@pytest.mark.parametrize(("text", "names"), PASTED)
def test_names_in_a_command(bench: Bench, text: str, names: list[str]) -> None:
    bench.store("moon", "xn--3e0b707e.test")
    outcome = dispatch(f"add {text}", MOON, desk(bench), "C1", modal=True)
    assert outcome.refused == ()
    assert list(outcome.names) == names


@pytest.mark.parametrize(("text", "names"), PASTED)
def test_names_in_a_modal(bench: Bench, text: str, names: list[str]) -> None:
    bench.store("moon", "xn--3e0b707e.test")
    assert faults("add", {"values": {"typed": text}}) == {}
    row = send(bench, MOON, "add", typed=text)
    assert row.body["names"] == names


@pytest.mark.parametrize(("text", "names"), [one for one in PASTED if not one[0].startswith("<")])
def test_names_in_a_shell(bench: Bench, text: str, names: list[str]) -> None:
    bench.store("moon", "xn--3e0b707e.test")
    given = [word.strip("“”'") for word in text.split()]  # a shell takes straight quotes away
    assert list(dispatch(["add", *given], SUPPORT, desk(bench)).names) == names


PAGES = [
    (PAGE, "moon"),
    (f" {PAGE}/ ", "moon"),
    (f"{PAGE}/settings/domains?tab=1,2#x", "moon"),
    ("http://ADMIN.example.com/stores/moon", "moon"),
    ("admin.example.com/stores/moon", "moon"),
    ("https://admin.example.com/stores/%6doon", "moon"),
    ("https://admin.example.com/stores/my-store_1.a", "my-store_1.a"),
    ("https://admin.example.com/stores/", None),
    ("https://admin.example.com/stores", None),
    ("https://admin.example.com/Stores/moon", None),
    ("https://admin.example.com.evil.test/stores/moon", None),
    ("https://adminXexample.com/stores/moon", None),
    ("https://admin.example.com/stores/-moon", None),
    ("https://admin.example.com/stores/" + "m" * 65, None),
    ("moon", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "found"), PAGES)
def test_the_page_of_a_store(text: str, found: str | None) -> None:
    assert page_of(text, ADMIN) == found
    assert page_of(text, "") is None


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("https://{store}.admin.test", "https://moon.admin.test/x", "moon"),
        ("https://admin.test/{store}/home", "https://admin.test/moon/home", "moon"),
        ("https://admin.test/{store}/home", "https://admin.test/moon", None),
        ("https://admin.test/?store={store}", "https://admin.test/?store=moon", "moon"),
    ],
)
def test_the_store_may_stand_anywhere_in_the_pattern(pattern: str, text: str, found: str | None) -> None:
    assert page_of(text, pattern) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (PAGE, "moon"),
        ("moon", "moon"),
        ("shop.moon.test", "moon"),
        ("https://shop.moon.test/x", "moon"),
        ("www.shop.moon.test", "moon"),
        ("sun", "sun"),
        ("sun.test", "sun.test"),
        ("nowhere", "nowhere"),
        ("nowhere.test", "nowhere.test"),
        ("no name", "no name"),
    ],
)
def test_which_store_a_merchant_means(bench: Bench, given: str, found: str) -> None:
    assert meant(given, desk(bench), MOON) == found


@pytest.mark.parametrize(
    ("word", "found"),
    [(PAGE, "moon"), ("moon", "moon"), ("sun", None), ("nowhere", None), ("shop.moon.test", None)],
)
def test_a_word_that_is_a_store_where_names_are_looked_for(
    bench: Bench, word: str, found: str | None
) -> None:
    assert store(word, desk(bench), MOON) == found


STORE = ["moon", PAGE, f"<{PAGE}>", f"<{PAGE}/domains|admin.example.com/stores/moon/domains>"]


@pytest.mark.parametrize("given", STORE)
@pytest.mark.parametrize("caller", [MOON, SUPPORT], ids=lambda one: one.role)
def test_a_store_for_add_opens_its_names(bench: Bench, caller: Caller, given: str) -> None:
    screen = Screen()
    ask(bench, caller, screen, desk(bench), text=f"add {given}")
    assert options(screen.sheets[0], picking.NAMES) == BOTH


@pytest.mark.parametrize("given", STORE)
def test_a_store_for_renew_narrows_what_is_offered(bench: Bench, given: str) -> None:
    for name in ("shop.moon.test", "sun.test"):
        dispatch(f"add {name}", SUPPORT, bench.desk)
        bench.install(name, renew_at=bench.now, serial=name[:2])
    screen = Screen()
    ask(bench, SUPPORT, screen, desk(bench), text=f"renew {given}")
    assert options(screen.sheets[0], picking.NAMES) == ["shop.moon.test"]


@pytest.mark.parametrize("given", [*STORE, "shop.moon.test", "https://www.moon.test/"])
def test_a_store_behind_the_option(bench: Bench, given: str) -> None:
    outcome = dispatch(f"add shop.moon.test --store {given}", SUPPORT, desk(bench), "C1")
    assert outcome.names == ("shop.moon.test",)


@pytest.mark.parametrize("given", STORE)
def test_a_store_for_status_and_link(bench: Bench, given: str) -> None:
    dispatch("add shop.moon.test", MOON, bench.desk)
    listed = dispatch(f"status {given}", MOON, desk(bench), "C1")
    assert "Names of the store moon" in listed.reply.title.plain()
    linked = dispatch(f"links {given}", MOON, desk(bench), "C1")
    assert "moon" in linked.reply.title.plain()
    asked = dispatch(f"link {given}", STRANGER, replace(desk(bench), alerting=alerts(bench)), "C1")
    assert "Your request for the store moon is taken" in asked.reply.title.plain()


def alerts(bench: Bench) -> Any:
    return replace(bench.desk.alerting, support_channel="C_SUPPORT")


@pytest.mark.parametrize("given", ["shop.moon.test", PAGE, "moon"])
def test_a_store_in_a_modal(bench: Bench, given: str) -> None:
    row = send(bench, SUPPORT, picking.ADD_STORE, desk=desk(bench), store=given)
    assert options(shown(bench, row), picking.NAMES) == BOTH


@pytest.mark.parametrize("command", ["check", "history", "renew shop.moon.test", "add shop.moon.test"])
def test_a_page_where_a_name_is_needed_is_told(bench: Bench, command: str) -> None:
    outcome = dispatch(f"{command} {PAGE}", MOON, desk(bench), "C1", modal=True)
    assert "is the page of a store, and a domain name is needed" in text(outcome)
    assert outcome.exit_code == 1


def text(outcome: Outcome) -> str:
    return f"{outcome.reply} {outcome.refused}"


@pytest.mark.parametrize("command", ["add", "renew", "status", "links", "add shop.moon.test --store"])
@pytest.mark.parametrize("caller", [MOON, replace(MOON, role=Role.NOBODY, stores=frozenset())])
def test_a_page_of_another_store_is_answered_like_one_of_none(
    bench: Bench, caller: Caller, command: str
) -> None:
    theirs, nothing = (
        str(dispatch(f"{command} {ADMIN.format(store=one)}", caller, desk(bench), "C1", modal=True)).replace(
            one, "STORE"
        )
        for one in ("sun", "dim")
    )
    assert theirs == nothing


def test_what_was_typed_is_kept_when_it_cannot_be_taken(bench: Bench) -> None:
    row = send(bench, MOON, "add", picking.memory("moon"), typed="https://shop.mooon.test/x")
    field = fields(shown(bench, row))[picking.TYPED]
    assert getattr(field, "initial", "") == "https://shop.mooon.test/x"
