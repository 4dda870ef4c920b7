"""The modal of /ssl add whole: pages and a search that keep what was ticked, each name that is shown is checked, and a list in its place."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.slack.limits import view_violations
from bot.slack.payloads import submitted
from bot.slack.render_views import modal
from bot.slack.sent_off import taken_in
from commands import live, messages, offered, picking
from commands.caller import Caller, Role
from commands.command import MAX_NAMES
from commands.fields import Choice, Entry
from commands.reply import Button, Buttons, Hint, Reply, Sheet
from commands.screens import guarded
from commands.sheets import faults
from commands.uploads import Upload
from services.bulk.lists import MOST_BYTES
from services.model.certificates import Certificate
from services.model.errors import CertdeskError
from services.model.lifecycle import State
from services.model.proposals import Decider
from services.model.settings import Alerting
from services.model.text import say
from services.ports import Message, Request
from tests.desks import MOON, NOW, SUPPORT, Bench
from tests.unit.approval_world import proposal, said
from tests.unit.commands_world import desk_of, make_bench
from tests.unit.sheet_world import Screen, ask, fields, send, shown, text, ticks
from tests.unit.sheet_world import messages as posted
from tests.unit.test_slack_views import VIEW, submission

MANY = [f"n{number:03}.moon.test" for number in range(130)]
BOTH = Caller("T1/U_BOTH", Role.MERCHANT, frozenset({"moon", "sun"}))
FILE: Mapping[str, Any] = {"id": "F1", "name": "names.csv", "kind": "csv", "size": 40, "external": False}
"""What a form keeps of a file that was put into it."""


@pytest.fixture
def bench() -> Bench:
    bench = make_bench()
    bench.store("moon", *MANY)
    return bench


class Modal:
    """A modal as a person has it open: its fields keep what was ticked and typed, as Slack's do."""

    def __init__(self, bench: Bench, caller: Caller = MOON, command: str = "add") -> None:
        self.bench, self.caller = bench, caller
        self.request = self._ask(text=command)

    def _ask(self, **changes: Any) -> Request:
        screen = Screen()
        request = ask(self.bench, self.caller, screen, **changes)
        [self.sheet] = screen.sheets
        return request

    @property
    def row(self) -> Message:
        with self.bench.storage.read() as tx:
            row = tx.outbox.by_key(f"view:{self.request.id}")
        assert row is not None
        return row

    def click(self, action: str, value: str, **values: Any) -> Sheet:
        form = {"memory": self.sheet.memory, "kind": "modal", "values": values, "hash": "1"}
        self.request = self._ask(kind="click", text=f"{action} {value}", channel="", view="V1", form=form)
        return self.sheet

    def work(self) -> int:
        """Do what its row waits for, as a worker does; return how many times something was done."""
        done = 0
        while (body := live.work(self.bench.desk, self.row)) is not None:
            done += 1
            with self.bench.storage.write() as tx:
                tx.outbox.put(replace(self.row, body=json.loads(json.dumps(body))))
            self.sheet = shown(self.bench, self.row)
        return done

    def buttons(self) -> dict[str, str]:
        """Return what its buttons say -> action and value."""
        return {
            item.label.plain(): f"{item.action} {item.value}"
            for part in self.sheet.parts
            if isinstance(part, Buttons)
            for item in part.items
            if isinstance(item, Button)
        }


def initially_ticked(sheet: Sheet) -> list[str]:
    return [name for part in sheet.parts if isinstance(part, Choice) for name in part.chosen]


def hints(sheet: Sheet) -> str:
    return " ".join(part.text.plain() for part in sheet.parts if isinstance(part, Hint))


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "kind"), [(100, Choice), (101, Entry)])
def test_who_has_more_stores_than_a_menu_holds_types_one(count: int, kind: type) -> None:
    bench = make_bench()
    stores = [f"agency{number:03}" for number in range(count)]
    for store in stores:
        bench.store(store, f"{store}.test")
    modal = Modal(bench, Caller("T1/U_AGENCY", Role.MERCHANT, frozenset(stores)))
    assert isinstance(fields(modal.sheet)[picking.STORE], kind)
    row = send(bench, modal.caller, picking.ADD_STORE, store=stores[-1])
    assert ticks(shown(bench, row)) == [f"{stores[-1]}.test"]


def test_of_a_store_with_a_great_many_certificates_none_is_offered_again() -> None:
    bench = make_bench()
    held = [f"held{number:04}.test" for number in range(1005)]
    bench.store("moon", "new.test", *held)
    with bench.storage.write() as tx:
        for name in held:
            row = Certificate(f"cert_{name}", "moon", name, (name,), NOW, NOW, state=State.INSTALLED)
            assert tx.certificates.add(row)
    offered_names = ticks(Modal(bench).sheet)
    assert "new.test" in offered_names
    assert not [name for name in offered_names if name in held]


def test_more_names_than_a_page_holds_are_said_and_led_to(bench: Bench) -> None:
    opened = Modal(bench)
    assert ticks(opened.sheet) == MANY[: offered.PAGE]
    assert "Not shown here: 102." in hints(opened.sheet)
    assert opened.buttons() == {"Search": "sheet.find typed", "Next page": "sheet.turn 30"}
    groups = [part for part in opened.sheet.parts if isinstance(part, Choice)]
    assert [len(group.options) for group in groups] == [offered.GROUP] * 3
    assert groups[1].label.plain() == "Names without a certificate, 11 to 20 of 132"


def test_every_name_that_is_shown_is_checked_and_no_other(bench: Bench) -> None:
    opened = Modal(bench)
    assert opened.work() == offered.PAGE / offered.AT_ONCE
    assert set(bench.checker.asked) == set(MANY[: offered.PAGE])
    assert "Being checked now" not in hints(opened.sheet)
    opened.click("sheet.turn", "30")
    assert f"Being checked now: {offered.PAGE}" in hints(opened.sheet)
    opened.work()
    assert set(bench.checker.asked) == set(MANY[: 2 * offered.PAGE])
    opened.click("sheet.turn", "0")
    assert opened.work() == 0  # what was found is kept
    assert len(bench.checker.asked) == 2 * offered.PAGE


def test_what_was_ticked_and_typed_is_kept_over_pages_and_searches(bench: Bench) -> None:
    opened = Modal(bench)
    page = opened.click("sheet.turn", "30", names=[MANY[3]], typed="shop.moon.test")
    assert ticks(page) == MANY[30:60]
    assert (initially_ticked(page), getattr(fields(page)["typed"], "initial", "")) == ([], "shop.moon.test")
    assert f"Ticked on other pages: {MANY[3]}" in hints(page)
    first = next(part for part in page.parts if isinstance(part, Choice))
    found = opened.click("sheet.search", "", **{first.id: [MANY[31]], "sheet.search": "N12"})
    assert ticks(found) == MANY[120:]
    assert set(offered.elsewhere(opened.row.body)) == {MANY[3], MANY[31]}
    back = opened.click("sheet.find", "all", **{"sheet.search": "N12"})
    assert initially_ticked(back) == [MANY[3]]
    row = send(bench, MOON, "add", back.memory, names=[MANY[3], MANY[4]])
    assert "wanted" not in text(shown(bench, row))
    assert {name for one in bench.certificates() for name in one.wanted} == {MANY[3], MANY[4], MANY[31]}


def test_what_is_unticked_where_it_is_shown_again_is_not_asked_for(bench: Bench) -> None:
    opened = Modal(bench)
    opened.click("sheet.turn", "30", names=[MANY[3], MANY[4]])
    back = opened.click("sheet.turn", "0")
    assert initially_ticked(back) == [MANY[3], MANY[4]]
    first = next(part for part in back.parts if isinstance(part, Choice))
    unticked: dict[str, Any] = {first.id: [MANY[4]]}
    send(bench, MOON, "add", back.memory, **unticked)
    assert [one.wanted for one in bench.certificates()] == [(MANY[4],)]


def test_the_fields_of_another_page_are_others_and_each_is_there_once(bench: Bench) -> None:
    opened = Modal(bench)
    before = set(fields(opened.sheet))
    after = set(fields(opened.click("sheet.turn", "30")))
    assert before & after == {"sheet.search", "typed", "file"}
    for sheet in (opened.sheet, opened.click("sheet.find", "typed", **{"sheet.search": "nothing such"})):
        assert view_violations(modal(sheet, handle="V1:1")) == []
    assert "“nothing such” is in none of the names." in text(opened.sheet).replace("{search}", "nothing such")
    assert opened.buttons() == {"Search": "sheet.find typed", "Show all": "sheet.find all"}


@pytest.mark.parametrize("first", ["120", "9999", "-1", "x", "1" * 30])
def test_a_page_that_is_not_there_is_the_nearest(bench: Bench, first: str) -> None:
    page = ticks(Modal(bench).click("sheet.turn", first))
    assert page in ([*MANY[120:], "shop.moon.test", "www.moon.test"], MANY[:30])


def test_the_last_page_has_a_way_back_alone(bench: Bench) -> None:
    opened = Modal(bench)
    opened.click("sheet.turn", "120")
    assert opened.buttons() == {"Search": "sheet.find typed", "Previous page": "sheet.turn 90"}


def test_ticks_on_other_pages_count_when_it_is_sent_off(bench: Bench) -> None:
    opened = Modal(bench)
    page = opened.click("sheet.turn", "30", names=[MANY[3]])
    assert faults("add", {"values": {}, "memory": page.memory}) == {}
    much = {"values": {"typed": " ".join(MANY[:MAX_NAMES])}, "memory": page.memory}
    assert "101 names were given" in faults("add", much)["typed"].plain()
    send(bench, MOON, "add", page.memory)
    assert [one.wanted for one in bench.certificates()] == [(MANY[3],)]


def test_another_persons_page_proves_nothing(bench: Bench) -> None:
    opened = Modal(bench, SUPPORT, "add --store moon")
    theirs = opened.click("sheet.turn", "30", names=[MANY[3]])
    stranger = Caller("T1/U_SUN", Role.MERCHANT, frozenset({"sun"}))
    screen = Screen()
    form = {"memory": theirs.memory, "kind": "modal", "values": {}, "hash": "1"}
    ask(bench, stranger, screen, kind="click", text="sheet.turn 0", channel="", view="V1", form=form)
    assert "n003" not in text(screen.sheets[0])
    form["memory"] = json.dumps(
        {"row": json.loads(theirs.memory)["row"]}
    )  # nor does it tell of which store it is
    ask(bench, stranger, screen, kind="click", text="sheet.turn 0", channel="", view="V1", form=form)
    assert "moon" not in repr(screen.sheets[-1])
    send(bench, stranger, "add", theirs.memory, typed="shop.sun.test")
    assert [one.wanted for one in bench.certificates()] == [("shop.sun.test",)]


def test_who_has_lost_the_store_meanwhile_turns_no_page(bench: Bench) -> None:
    opened = Modal(bench)
    opened.caller = replace(MOON, stores=frozenset({"sun"}))
    page = opened.click("sheet.turn", "30")
    assert (page.name, ticks(page)) == (picking.ADD_STORE, [])
    assert "n0" not in text(page)


def test_a_page_whose_row_is_gone_begins_anew_with_what_is_ticked_on_it(bench: Bench) -> None:
    opened = Modal(bench)
    memory = json.loads(opened.sheet.memory) | {"row": "req_gone"}
    opened.sheet = replace(opened.sheet, memory=json.dumps(memory))
    page = opened.click("sheet.turn", "30", names=[MANY[3]])
    assert ticks(page) == MANY[30:60]
    assert MANY[3] in hints(page)


@pytest.mark.parametrize(
    "memory", ["", "[]", "{", '{"store": 1}', '{"row": {}}', '{"kept": "x", "turn": -3}']
)
def test_a_page_that_carries_nonsense_is_answered(bench: Bench, memory: str) -> None:
    opened = Modal(bench)
    opened.sheet = replace(opened.sheet, memory=memory)
    assert opened.click("sheet.turn", "30").name in (picking.ADD, picking.ADD_STORE)
    assert faults("add", {"values": {"names": ["a.test"]}, "memory": memory}) == {}


def test_what_an_older_version_has_written_is_still_shown(bench: Bench) -> None:
    body = {"store": "moon", "names": MANY[:100], "found": {}, "refused": [], "typed": ""}
    sheet = offered.sheet(body)
    assert ticks(sheet) == MANY[:100]
    assert view_violations(modal(sheet, handle="V1:1")) == []


def test_a_click_in_a_page_does_not_lose_against_its_own_checks() -> None:
    request = Request("r", "once", "T1", "U1", "", "sheet.turn 30", make_bench().now, kind="click")
    assert not guarded(request)
    assert guarded(replace(request, text="menu.back -"))


# --- a list -----------------------------------------------------------------------------------------------------------


class Handed:
    """One list of one person's, put into a modal."""

    def __init__(self, content: str = "shop.moon.test\nwww.moon.test\n") -> None:
        self.content = content
        self.asked: list[tuple[str, str, str]] = []

    def latest(self, _channel: str, _person: str) -> Upload | None:
        return None

    def handed_in(self, channel: str, file: str, person: str) -> Upload:
        self.asked.append((channel, file, person))
        if file != "F1":
            raise CertdeskError(say("There is no such file."))
        return Upload("names.csv", self.content.encode())


def handed(bench: Bench, caller: Caller, sheet: str, uploads: Handed, *files: Any, **values: Any) -> Message:
    memory = picking.memory("moon") if sheet == "add" else ""
    return send(
        bench, caller, sheet, memory, desk_of(bench), files=files or (FILE,), uploads=uploads, **values
    )


def question(bench: Bench) -> tuple[Message, Reply]:
    [owed] = [one for one in posted(bench) if one.kind == "approval" and not one.key.endswith("deciders")]
    return owed, messages.compose(desk_of(bench), owed, lambda person, _w: replace(MOON, person=person)).reply


def test_a_merchants_list_becomes_a_question_by_direct_message(bench: Bench) -> None:
    row = handed(bench, MOON, "add", uploads := Handed())
    assert uploads.asked == [("", "F1", MOON.person)]
    told = text(shown(bench, row))
    assert "asked in a direct message to you" in told
    owed, reply = question(bench)
    assert (owed.channel, owed.private) == ("", True)
    assert "Get certificates for 2 names from names.csv?" in said(reply)
    assert proposal(bench, owed.body["proposal"]).decider is Decider.SELF
    assert bench.certificates() == []
    with bench.storage.read() as tx:
        last = tx.audit.last()
    assert last is not None
    assert (last.action, last.subject, last.result) == ("add", "names.csv (2)", "asked")


def test_staff_hand_one_in_without_choosing_a_store_and_another_person_decides(bench: Bench) -> None:
    handed(bench, SUPPORT, picking.ADD_STORE, Handed("moon,shop.moon.test\nsun,sun.test\n"))
    [asked] = {one.body["proposal"] for one in posted(bench) if one.kind == "approval"}
    found = proposal(bench, asked)
    assert (found.decider, set(found.stores)) == (Decider.SECOND, {"moon", "sun"})
    with bench.storage.read() as tx:
        last = tx.audit.last()
    assert last is not None
    assert last.result == "asked"


def test_without_a_channel_in_which_to_ask_a_second_person_it_says_so(bench: Bench) -> None:
    desk = replace(desk_of(bench), alerting=Alerting())
    row = send(bench, SUPPORT, picking.ADD_STORE, "", desk, files=[FILE], uploads=Handed())
    sheet = shown(bench, row)
    assert (sheet.name, "knows no channel of support" in text(sheet)) == (picking.ADD_STORE, True)
    assert [one for one in posted(bench) if one.kind == "approval"] == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("shop.moon.test\nother.test\n", "lines of {file} are wrong"),
        ("", "The file has no names in it"),
        ("sun.test\n", "lines of {file} are wrong"),
    ],
)
def test_a_list_that_cannot_be_taken_is_told_where_another_can_be_handed_in(
    bench: Bench, content: str, told: str
) -> None:
    sheet = shown(bench, handed(bench, MOON, "add", Handed(content)))
    assert (sheet.name, told in text(sheet)) == ("add", True)
    assert picking.FILE in fields(sheet)
    assert view_violations(modal(sheet, handle="V1:1")) == []
    assert bench.certificates() == []


def test_a_file_that_cannot_be_had_is_told_in_the_same_place(bench: Bench) -> None:
    sheet = shown(bench, handed(bench, MOON, "add", Handed(), {**FILE, "id": "F2"}))
    assert (sheet.name, "There is no such file." in text(sheet)) == ("add", True)


def test_a_list_for_a_store_that_is_not_theirs_is_not_even_fetched(bench: Bench) -> None:
    uploads, found = Handed(), []
    for store in ("sun", "dus"):
        row = send(
            bench, BOTH if store == "" else MOON, "add", picking.memory(store), files=[FILE], uploads=uploads
        )
        found.append(text(shown(bench, row)).replace(store, "STORE"))
    assert found[0].split("row")[0] == found[1].split("row")[0]
    assert uploads.asked == []


@pytest.mark.parametrize(
    ("form", "field", "told"),
    [
        ({"files": {"file": [{**FILE, "external": True}]}}, "file", "kept elsewhere than in Slack"),
        ({"files": {"file": [{**FILE, "size": MOST_BYTES + 1}]}}, "file", "more than 256 kilobytes"),
        ({"files": {"file": [{**FILE, "kind": "png"}]}}, "file", "no text or CSV file"),
        ({"files": {"file": [FILE, FILE]}}, "file", "One list at a time"),
        ({"files": {"file": [FILE]}, "values": {"names": ["a.test"]}}, "file", "either names or a list"),
        ({"files": {"file": [FILE]}, "memory": '{"kept": 2}'}, "file", "either names or a list"),
    ],
)
def test_what_slack_tells_of_a_file_is_judged_at_the_field(
    form: Mapping[str, Any], field: str, told: str
) -> None:
    found = faults("add", form)
    assert list(found) == [field]
    assert told in found[field].plain()
    if "values" not in form and "memory" not in form:
        assert faults(picking.ADD_STORE, form) == found
    assert faults(picking.ADD_STORE, {"files": {"file": [FILE]}}) == {}


# --- as Slack sends it ------------------------------------------------------------------------------------------------


def put_in(*files: Mapping[str, Any]) -> dict[str, Any]:
    """Return a view_submission with files, in the shape of Slack's (docs: File input element, view_submission)."""
    element = {"type": "file_input", "files": list(files)}
    state = {
        "values": {"file": {"file": element}, "typed": {"typed": {"type": "plain_text_input", "value": None}}}
    }
    return submission(view={**VIEW, "state": state, "private_metadata": picking.memory("moon")})


SLACKS: Mapping[str, Any] = {
    "id": "F08CSV1",
    "created": 1740000000,
    "timestamp": 1740000000,
    "name": "names.csv",
    "title": "names.csv",
    "mimetype": "text/csv",
    "filetype": "csv",
    "pretty_type": "CSV",
    "user": "U1",
    "user_team": "T1",
    "editable": True,
    "size": 31,
    "mode": "snippet",
    "is_external": False,
    "external_type": "",
    "is_public": False,
    "public_url_shared": False,
    "display_as_bot": False,
    "username": "",
    "url_private": "https://files.slack.com/files-pri/T1-F08CSV1/names.csv",
    "url_private_download": "https://files.slack.com/files-pri/T1-F08CSV1/download/names.csv",
    "permalink": "https://moon.slack.com/files/U1/F08CSV1/names.csv",
    "has_rich_preview": False,
    "file_access": "visible",
}


def test_a_file_in_a_payload_is_kept_without_its_addresses() -> None:
    form = submitted(put_in(SLACKS)).form
    assert form["files"] == {
        "file": [{"id": "F08CSV1", "name": "names.csv", "kind": "csv", "size": 31, "external": False}]
    }
    assert form["values"] == {}
    assert "https://" not in json.dumps(form)


@pytest.mark.parametrize("files", [None, "x", [], [None], [{}], [{"id": 3, "size": "x"}]])
def test_a_payload_with_a_broken_file_is_taken_in(files: Any) -> None:
    body = put_in()
    body["view"]["state"]["values"]["file"]["file"]["files"] = files
    assert taken_in(body)["response_action"] == "errors"


def test_slack_is_answered_with_the_fault_of_the_file() -> None:
    external = taken_in(put_in({**SLACKS, "is_external": True, "mode": "external"}))
    assert list(external["errors"]) == ["file"]
    assert taken_in(put_in(SLACKS))["response_action"] == "update"


def test_many_files_and_long_names_are_cut() -> None:
    files: Sequence[Mapping[str, Any]] = [{**SLACKS, "name": "x" * 9000}] * 50
    form = submitted(put_in(*files)).form
    assert (len(form["files"]["file"]), len(form["files"]["file"][0]["name"])) == (10, 150)
