"""Doing things without typing: the menu, names to choose from, what comes of it; and nothing that a modal carries proves a right."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.limits import view_violations
from bot.slack.render_views import modal
from commands import live, messages, offered, picking
from commands.caller import TERMINAL, Caller, Role, holders
from commands.dispatch import dispatch
from commands.menu import ITEMS
from commands.reply import Buttons, Hint, Problem, Rows, Sheet
from commands.sheets import SHEETS, faults
from services.model.findings import Verdict
from services.model.lifecycle import State
from tests.desks import MOON, STRANGER, SUPPORT, Bench, finding
from tests.unit.approval_world import audited, click
from tests.unit.commands_world import desk_of, make_bench
from tests.unit.sheet_world import Screen, ask, fields, options, rows, send, shown, text, ticks
from tests.unit.sheet_world import messages as posted
from tests.unit.test_commands_isolation import CALLERS, OTHER, OWN, TEXTS, UNKNOWN, make

BOTH = Caller("T1/U_BOTH", Role.MERCHANT, frozenset({"moon", "sun"}))
MOONS = ["shop.moon.test", "www.moon.test"]


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def opened(bench: Bench, caller: Caller, text: str = "", **changes: Any) -> Sheet:
    """Type /ssl with ``text`` and return the modal that opens."""
    screen = Screen()
    ask(bench, caller, screen, text=text, **changes)
    [sheet] = screen.sheets
    return sheet


def clickable(sheet: Sheet) -> list[str]:
    return [item.action for part in sheet.parts if isinstance(part, Buttons) for item in part.items]


# --- the menu -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_the_menu_offers_what_the_role_may_do_and_nothing_else(bench: Bench, role: Role) -> None:
    caller = CALLERS[role]
    actions = clickable(opened(bench, caller))
    assert set(actions) <= {item.id for item in ITEMS if role in holders(item.action)}
    assert ("menu.alerts" in actions) is (caller.stores is None)
    assert ("menu.link" in actions) is (role is Role.NOBODY)
    assert "menu.help" in actions


def test_a_stranger_is_told_how_to_get_access(bench: Bench) -> None:
    sheet = opened(bench, STRANGER)
    assert "certdesk does not know you yet" in text(sheet)
    assert clickable(sheet) == ["menu.link", "menu.help"]


def test_in_a_terminal_there_is_the_help_and_no_modal(bench: Bench) -> None:
    outcome = dispatch([], TERMINAL, bench.desk)
    assert (outcome.sheet, outcome.live, outcome.exit_code) == (None, None, 0)
    assert outcome.reply == dispatch("help", TERMINAL, bench.desk).reply
    for verb in ("add", "renew"):
        assert dispatch(verb, TERMINAL, bench.desk).exit_code == 2


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("", "certdesk gets and keeps TLS certificates for stores"),
        ("add", "Names of the store moon without a certificate: 2"),
        ("renew", "No renewal is due or blocked"),
    ],
)
def test_a_trigger_that_ran_out_leaves_a_message(bench: Bench, typed: str, title: str) -> None:
    ask(bench, MOON, Screen(open=False), text=typed)
    [message] = posted(bench)
    assert messages.compose(bench.desk, message).reply.title.plain() == title
    assert message.private
    assert rows(bench) == []


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_each_thing_in_the_menu_opens_a_page_with_a_way_on(bench: Bench, item: Any) -> None:
    caller = STRANGER if item.id == "menu.link" else SUPPORT
    screen = Screen()
    form = {"memory": opened(bench, caller).memory, "kind": "modal", "values": {}}
    ask(bench, caller, screen, kind="click", text=f"{item.id} -", channel="", view="V1", form=form)
    [page] = screen.sheets
    assert page.submit.template or clickable(page) == ["menu.back"]
    ask(bench, caller, screen, kind="click", text="menu.back -", channel="", view="V1", form=form)
    assert screen.sheets[-1].name == "menu"


def test_the_menu_of_a_stores_channel_is_about_that_store(bench: Bench) -> None:
    world = make()
    sheet = opened(world, SUPPORT, channel=f"C_{OWN}")
    form = {"memory": sheet.memory, "kind": "modal", "values": {}}
    screen = Screen()
    ask(world, SUPPORT, screen, kind="click", text="menu.add -", channel="", view="V1", form=form)
    assert options(screen.sheets[0], picking.NAMES) == [f"shop.{OWN}.test"]


# --- the audit trail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["", "add", "renew", "add --store moon", "add --store nobodys", "renew --store moon"]
)
@pytest.mark.parametrize("caller", [MOON, SUPPORT, BOTH], ids=lambda one: one.person)
@pytest.mark.parametrize("open_", [True, False], ids=["opens", "too late"])
def test_what_only_opens_is_not_kept_as_done(bench: Bench, typed: str, caller: Caller, open_: bool) -> None:
    ask(bench, caller, Screen(open=open_), text=typed)
    with bench.storage.read() as tx:
        assert tx.audit.last() is None


def test_what_is_chosen_in_it_is_kept_and_so_is_who_has_no_right_to_open_it(bench: Bench) -> None:
    ask(bench, STRANGER, Screen(), text="add")
    assert audited(bench) == (STRANGER.person, "add", "", "refused")
    send(bench, MOON, "add", opened(bench, MOON, "add").memory, names=["shop.moon.test"])
    assert audited(bench) == (MOON.person, "add", "shop.moon.test", "done")


# --- add ------------------------------------------------------------------------------------------------------------


def test_names_without_a_certificate_are_offered_and_checked_while_it_is_open(bench: Bench) -> None:
    bench.checker.says["www.moon.test"] = (finding("dns.not_hosted", "www.moon.test"),)
    before = opened(bench, MOON, "add")
    assert options(before, picking.NAMES) == MOONS
    assert "Being checked now" in text(before)
    [row] = rows(bench)
    body = live.work(bench.desk, row)
    assert body is not None
    after = shown(bench, replace(row, body=json.loads(json.dumps(body))))
    found = {one.name: one for part in after.parts if isinstance(part, Rows) for one in part.rows}
    assert found["shop.moon.test"].label.plain() == "nothing is in the way"
    assert "found dns.not_hosted" in found["www.moon.test"].detail.plain()
    assert not any(isinstance(part, Hint) for part in after.parts)
    # what was ticked stays, for no field has changed
    assert fields(after) == fields(before)
    assert after.memory == before.memory
    final = live.compose(bench.desk, replace(row, body=body))
    assert final.final
    assert live.work(bench.desk, replace(row, body=body)) is None


def test_silence_is_neither_said_to_be_well_nor_to_be_in_the_way(bench: Bench) -> None:
    bench.checker.says["www.moon.test"] = (finding("dns.lame", "www.moon.test", Verdict.UNKNOWN),)
    bench.checker.says["shop.moon.test"] = (finding("domain.expiring", "shop.moon.test", Verdict.UNKNOWN),)
    opened(bench, MOON, "add")
    [row] = rows(bench)
    body = live.work(bench.desk, row)
    assert body is not None
    lines = [one for part in offered.sheet(body).parts if isinstance(part, Rows) for one in part.rows]
    assert [(one.name, one.label.plain()) for one in lines] == [
        ("shop.moon.test", "nothing is in the way"),
        ("www.moon.test", "not everything could be seen"),
    ]
    assert "found dns.lame" in lines[1].detail.plain()


def test_many_names_are_checked_by_and_by(bench: Bench) -> None:
    bench.store("moon", *(f"n{number:03}.moon.test" for number in range(130)))
    sheet = opened(bench, MOON, "add")
    assert len(ticks(sheet)) == offered.PAGE
    [row] = rows(bench)
    looks = 0
    body: Mapping[str, Any] | None = row.body
    while (body := live.work(bench.desk, replace(row, body=body or {}))) is not None:
        looks += 1
        row = replace(row, body=body)
    assert looks == offered.PAGE / offered.AT_ONCE
    assert len(bench.checker.asked) == offered.PAGE
    assert view_violations(modal(shown(bench, row))) == []


def test_what_was_chosen_is_worked_on_and_the_modal_shows_how_far_it_is(bench: Bench) -> None:
    row = send(bench, MOON, "add", picking.memory("moon"), names=["shop.moon.test"], typed="www.moon.test")
    certificate = bench.certificate("shop.moon.test")
    assert certificate.wanted == tuple(MOONS)
    assert row.follows == (certificate.id,)
    assert "Getting a certificate for shop.moon.test, www.moon.test" in text(shown(bench, row)).replace(
        "{name}", "shop.moon.test, www.moon.test"
    )
    bench.install("shop.moon.test")
    composed = live.compose(bench.desk, row)
    assert composed.final
    assert "0a1b2c" in text(composed.sheet)
    with bench.storage.read() as tx:
        last = tx.audit.last()
    assert last is not None
    assert (last.action, last.subject, last.result) == ("add", "shop.moon.test www.moon.test", "done")


def test_a_change_of_the_certificate_makes_its_modal_due(bench: Bench) -> None:
    row = send(bench, MOON, "add", picking.memory("moon"), names=["shop.moon.test"])
    with bench.storage.write() as tx:
        [held] = tx.outbox.claim(bench.now, timedelta(minutes=1), 1, live.VIA)
        tx.outbox.delivered(held, "shown", final=False)
    assert rows(bench) == []
    bench.change("shop.moon.test", state=State.ORDERING)
    [due] = rows(bench)
    assert (due.key, due.version) == (row.key, 2)


def test_what_cannot_be_taken_is_told_in_the_form_and_nothing_is_lost(bench: Bench) -> None:
    row = send(bench, MOON, "add", picking.memory("moon"), typed="shop.mooon.test")
    sheet = shown(bench, row)
    [problem] = [part for part in sheet.parts if isinstance(part, Problem)]
    assert "Did you mean shop.moon.test" in problem.remedy.plain()
    assert options(sheet, picking.NAMES) == MOONS
    assert getattr(fields(sheet)[picking.TYPED], "initial", "") == "shop.mooon.test"
    assert bench.certificates() == []


def test_a_name_that_is_too_long_for_a_box_is_not_offered(bench: Bench) -> None:
    label = "a" * 60
    bench.store("moon", f"{label}.{label}.{label}.moon.test")
    assert options(opened(bench, MOON, "add"), picking.NAMES) == MOONS


def test_a_store_whose_names_all_have_one_says_so(bench: Bench) -> None:
    send(bench, MOON, "add", "", names=MOONS)
    sheet = opened(bench, MOON, "add")
    assert list(fields(sheet)) == [picking.TYPED, picking.FILE]
    assert "Every added name of the store" in text(sheet)


def test_who_sees_several_stores_chooses_one_first(bench: Bench) -> None:
    sheet = opened(bench, BOTH, "add")
    assert (sheet.name, options(sheet, picking.STORE)) == (picking.ADD_STORE, ["moon", "sun"])
    row = send(bench, BOTH, picking.ADD_STORE, store="sun")
    assert options(shown(bench, row), picking.NAMES) == ["shop.sun.test", "sun.test"]


def test_who_sees_all_stores_types_one(bench: Bench) -> None:
    sheet = opened(bench, SUPPORT, "add")
    assert list(fields(sheet)) == [picking.STORE, picking.FILE]
    assert options(shown(bench, send(bench, SUPPORT, picking.ADD_STORE, store=" moon ")), "names") == MOONS
    again = shown(bench, send(bench, SUPPORT, picking.ADD_STORE, store="nowhere"))
    assert (again.name, "There is no store {store} that you can see" in text(again)) == ("add.store", True)


def test_the_store_may_be_named_in_the_command(bench: Bench) -> None:
    assert options(opened(bench, SUPPORT, "add --store moon"), picking.NAMES) == MOONS


def test_a_merchant_without_a_store_is_told_how_to_get_one(bench: Bench) -> None:
    ask(bench, replace(MOON, stores=frozenset()), Screen(), text="add")
    [message] = posted(bench)
    assert "You have no store here yet" in messages.compose(bench.desk, message).reply.title.plain()


# --- renew ----------------------------------------------------------------------------------------------------------


def test_what_is_due_or_blocked_is_offered_for_renewal(bench: Bench) -> None:
    bench.store("moon", "late.example", "fine.example", "stuck.example")
    for name in ("late.example", "fine.example", "stuck.example", "shop.moon.test"):
        dispatch(f"add {name}", MOON, bench.desk)
    bench.install("late.example", renew_at=bench.now, serial="01")
    bench.install("fine.example", serial="02")
    blocked = finding("dns.not_hosted", "stuck.example")
    bench.change("stuck.example", [blocked], state=State.BLOCKED, problem=blocked)
    sheet = opened(bench, MOON, "renew")
    assert options(sheet, picking.NAMES) == ["stuck.example", "late.example"]
    row = send(bench, MOON, "renew", sheet.memory, names=["late.example"])
    assert bench.certificate("late.example").state is State.CHECKING
    assert row.follows == (bench.certificate("late.example").id,)
    assert bench.certificate("stuck.example").state is State.BLOCKED


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"typed": "fine.example"}, "fine.example"),
        ({"names": ["late.example"], "typed": "fine.example"}, "late.example fine.example"),
    ],
)
def test_a_name_that_is_not_due_is_asked_about_by_direct_message(
    bench: Bench, values: dict[str, Any], names: str
) -> None:
    bench.store("moon", "late.example", "fine.example")
    for name in ("late.example", "fine.example"):
        dispatch(f"add {name}", MOON, bench.desk)
    bench.install("late.example", renew_at=bench.now, serial="01")
    bench.install("fine.example", serial="02")
    before = bench.certificates()
    row = send(bench, MOON, "renew", **values)
    assert bench.certificates() == before
    assert "asked in a direct message to you" in text(shown(bench, row))
    assert "approval.confirm" not in text(shown(bench, row))
    left = live.left(row, bench.now)
    assert left is not None
    assert "approval.confirm" not in str(left.body)
    [owed] = [one for one in posted(bench) if one.kind == "approval"]
    assert (owed.user, owed.channel, owed.private) == ("U1", "", True)
    asked = str(owed.body["proposal"])
    assert audited(bench)[1:] == ("renew", names, "asked")
    assert click(bench, "approval.confirm", asked, MOON) is None
    assert bench.certificate("fine.example").state is State.CHECKING


def test_what_has_no_certificate_is_told_in_the_form(bench: Bench) -> None:
    sheet = shown(bench, send(bench, MOON, "renew", typed="shop.moon.test"))
    assert sheet.name == picking.RENEW
    assert [part.code for part in sheet.parts if isinstance(part, Problem)] == ["domain.no_certificate"]


def test_what_is_installed_already_is_told_in_the_form(bench: Bench) -> None:
    dispatch("add shop.moon.test", MOON, bench.desk)
    bench.install("shop.moon.test")
    sheet = shown(bench, send(bench, MOON, "add", typed="https://shop.moon.test/cart"))
    assert sheet.name == picking.ADD
    assert sheet.heading is not None
    assert sheet.heading.text.plain() == "shop.moon.test is installed already; nothing was changed"


# --- what is wrong with the fields -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "values", "field", "said"),
    [
        ("add", {}, "typed", "Tick a name above, or type one here."),
        ("renew", {"typed": "  "}, "typed", "Tick a name above"),
        ("add", {"typed": "mina@moon.test"}, "typed", "is an e-mail address"),
        ("add", {"names": ["a.test"], "typed": "b.test, 127.0.0.1"}, "typed", "is an IP address"),
        ("add", {"typed": " ".join(f"n{n}.test" for n in range(101))}, "typed", "101 names were given"),
        ("add.store", {}, "store", "The store is missing."),
        ("link", {"store": " "}, "store", "The store is missing."),
    ],
)
def test_fields_are_judged_before_anything_is_written(
    sheet: str, values: dict[str, Any], field: str, said: str
) -> None:
    found = faults(sheet, {"values": values})
    assert list(found) == [field]
    assert said in found[field].plain()


def test_what_can_be_taken_in_has_no_faults() -> None:
    assert faults("add", {"values": {"names": ["a.test"]}}) == {}
    assert faults("add", {"values": {"typed": "https://b.test/x; c.test"}}) == {}
    assert faults("unknown", {}) == {}


def test_a_form_that_slack_did_not_have_judged_is_judged_all_the_same(bench: Bench) -> None:
    sheet = shown(bench, send(bench, MOON, "add", typed="127.0.0.1"))
    assert "is an IP address" in text(sheet)
    assert bench.certificates() == []


def test_a_page_of_another_version_is_answered(bench: Bench) -> None:
    assert "does not know this page" in text(shown(bench, send(bench, MOON, "gone")))


# --- rights and isolation --------------------------------------------------------------------------------------------

FORMS: Mapping[str, tuple[str, ...]] = {
    "add": ("names", "typed"),
    "add.store": ("store",),
    "renew": ("names", "typed"),
    "link": ("store",),
}
"""The fields of each sheet that may name a store or something of it."""


def filled(sheet: str, name: str, store: str) -> dict[str, Any]:
    given = store if name == "store" else f"{store}.test"
    return {name: [given] if name == "names" else given}


def seen(bench: Bench, caller: Caller, sheet: str, name: str, store: str) -> str:
    """Fill a sheet in with what is of ``store``, its memory forged too; return all that is shown, without the store."""
    row = send(bench, caller, sheet, picking.memory(store), **filled(sheet, name, store))
    kind = row.kind, len(row.follows)
    return f"{kind} {shown(bench, row)}".replace(store, "STORE")


def test_every_sheet_is_tried() -> None:
    assert set(FORMS) == set(SHEETS)


@pytest.mark.parametrize(("sheet", "name"), [(one, name) for one, names in FORMS.items() for name in names])
@pytest.mark.parametrize("caller", [MOON, STRANGER], ids=lambda one: one.role)
def test_a_sheet_about_another_store_is_answered_like_one_about_none(
    caller: Caller, sheet: str, name: str
) -> None:
    worlds = make(), make()
    before = worlds[0].certificates()
    theirs, nothing = (
        seen(world, caller, sheet, name, store) for world, store in zip(worlds, (OTHER, UNKNOWN), strict=True)
    )
    assert theirs == nothing
    assert worlds[0].certificates() == before


@pytest.mark.parametrize(("sheet", "name"), [(one, name) for one, names in FORMS.items() for name in names])
@pytest.mark.parametrize("role", Role)
def test_a_sheet_needs_the_right_of_the_table(role: Role, sheet: str, name: str) -> None:
    bench = make()
    send(bench, CALLERS[role], sheet, picking.memory(OWN), **filled(sheet, name, OWN))
    with bench.storage.read() as tx:
        last = tx.audit.last()
    refused = last is not None and last.result == "refused"
    assert refused is (role not in holders(SHEETS[sheet].action))


@pytest.mark.parametrize(
    "text", [*TEXTS, "add {}", "renew {}", "add --store {}", "renew --store {}", "add --store {}.test"]
)
@pytest.mark.parametrize("caller", [MOON, STRANGER], ids=lambda one: one.role)
def test_what_a_command_opens_says_nothing_of_another_store(caller: Caller, text: str) -> None:
    found = []
    for store in (OTHER, UNKNOWN):
        world = make()
        outcome = dispatch(text.replace("{}", store), caller, desk_of(world), "C1", modal=True)
        found.append(f"{outcome.reply} {outcome.sheet} {outcome.live}".replace(store, "STORE"))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "item", [item for item in ITEMS if Role.MERCHANT in holders(item.action)], ids=lambda item: item.id
)
def test_a_menu_with_another_stores_memory_is_one_without_a_store(item: Any) -> None:
    found = []
    for store in (OTHER, UNKNOWN):
        screen, world = Screen(), make()
        form = {"memory": picking.memory(store), "kind": "modal", "values": {}}
        ask(
            world,
            MOON,
            screen,
            desk_of(world),
            id="req_1",
            kind="click",
            text=f"{item.id} -",
            channel="",
            view="V1",
            form=form,
        )
        found.append(text(screen.sheets[0]).replace(store, "STORE"))
    assert found[0] == found[1]
    assert OTHER not in found[0]


# --- while it is open -----------------------------------------------------------------------------------------------


def test_a_line_of_a_certificate_that_came_meanwhile_tells_where_it_stands(bench: Bench) -> None:
    opened(bench, MOON, "add")
    [row] = rows(bench)
    dispatch("add shop.moon.test", MOON, bench.desk)
    body = live.work(bench.desk, row)
    assert body is not None
    lines = [one for part in offered.sheet(body).parts if isinstance(part, Rows) for one in part.rows]
    assert lines[0].label.plain() == "Checking DNS and policy"
