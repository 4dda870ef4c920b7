"""The Home tab: what each role sees, how it is looked through, what is clicked, and that nothing of others is seen."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.caller import TERMINAL, Caller, Doubt, Role
from commands.dispatch import dispatch
from commands.home_memory import Shown, memory, turned
from commands.reply import Hint
from services import home, linking
from services.model.audiences import Kind
from services.model.fleet import Portion
from services.model.lifecycle import State
from tests.desks import MOON, NOW, STRANGER, SUPPORT, finding
from tests.unit.approval_world import audited, buttons, click, composed, message
from tests.unit.commands_world import alert, put
from tests.unit.home_world import ADMIN, ONCALL, HomeWorld

EVERYBODY = (ADMIN, SUPPORT, ONCALL, MOON, STRANGER)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> HomeWorld:
    return HomeWorld()


def trouble(world: HomeWorld, name: str, code: str = "dns.not_hosted") -> None:
    found = finding(code, name)
    world.bench.change(name, [found], state=State.BLOCKED, problem=found, retry_at=NOW + DAY)


# --- what each role sees ----------------------------------------------------------------------------------------------


def test_a_merchant_sees_their_own_certificates_with_what_is_in_the_way_and_the_fix(world: HomeWorld) -> None:
    world.add("shop.moon.test", "www.moon.test")
    world.add("shop.sun.test", store="sun")
    world.bench.install("shop.moon.test")
    view = world.open(MOON)
    assert view.shown == ["shop.moon.test"]
    assert "sun" not in view.text
    for part in ("Installed", "shop.moon.test, www.moon.test", "Valid until", "Renews by itself"):
        assert part in view.text
    trouble(world, "shop.moon.test")
    view = world.open(MOON)
    for part in ("Blocked, watched", "Mend `dns.not_hosted`", "Whose move: yours", "Next attempt"):
        assert part in view.text
    [check] = view.buttons("home.check")
    assert check["text"]["text"] == "I have changed it, check now"


def test_support_sees_the_fleet_with_counts(world: HomeWorld) -> None:
    world.fleet(4)
    world.fleet(3, "sun", State.NEEDS_SUPPORT)
    view = world.open(SUPPORT)
    assert view.shown == [*(f"sun{n:03}.test" for n in range(3)), *(f"moon{n:03}.test" for n in range(4))]
    fields = [field["text"] for block in view.content["blocks"] for field in block.get("fields", ())]
    assert "*Certificates*\n7" in fields
    assert "*Needs a support agent*\n3" in fields
    assert "*Installed*\n4" in fields


def test_on_call_sees_the_open_alerts_with_the_buttons_of_their_messages(world: HomeWorld) -> None:
    of = put(world.bench, alert(), 2)
    view = world.open(ONCALL)
    assert "2 certificates of 2 stores cannot renew" in view.text
    [acknowledge] = view.buttons("alert.ack")
    assert acknowledge["value"] == f"{of.id} {of.version}"
    after = world.click(ONCALL, view, f"alert.ack {acknowledge['value']}")
    assert after.buttons("alert.ack") == []
    assert "Acknowledged by" in after.text


def test_a_click_on_an_alert_that_has_changed_does_nothing_and_says_so(world: HomeWorld) -> None:
    put(world.bench, alert())
    view = world.open(ONCALL)
    world.click(ONCALL, view, "alert.ack alert_1 4")
    view = world.click(SUPPORT_ONCALL, view, "alert.ack alert_1 4")
    with world.bench.storage.read() as tx:
        seen, told = tx.alerts.get("alert_1"), tx.outbox.by_key("request:req_3")
    assert seen is not None
    assert seen.acked_by == ONCALL.person
    assert told is not None
    assert (told.user, told.private) == ("U_SECOND", True)


SUPPORT_ONCALL = Caller("T1/U_SECOND", Role.ONCALL, None)


def test_a_stranger_is_told_how_to_be_linked_and_nothing_else(world: HomeWorld) -> None:
    world.add("shop.moon.test")
    view = world.open(STRANGER)
    assert "/ssl link STORE" in view.text
    assert "moon" not in view.text
    assert view.buttons("home.check") == []


def test_who_could_not_be_looked_up_sees_nothing(world: HomeWorld) -> None:
    world.add("shop.moon.test")
    view = world.open(replace(MOON, role=Role.NOBODY, stores=frozenset(), doubt=Doubt.PERSON))
    assert "moon.test" not in view.text
    assert "Slack gave no answer" in view.text


@pytest.mark.parametrize("caller", EVERYBODY, ids=lambda one: one.role)
@pytest.mark.parametrize("count", [0, 1, 50])
def test_every_home_keeps_slacks_limits(world: HomeWorld, caller: Caller, count: int) -> None:
    """The worst there is: long names, many of them, long findings, in every card; and as many alerts."""
    long = ".".join(["한국" + "a" * 40] * 4) + ".test"
    kept = ".".join(["xn--" + "a" * 55] * 4)
    wanted = tuple(f"{n:03}.{kept}"[:253] for n in range(100))
    found = [replace(finding("dns.not_hosted", long * 9), name=wanted[0]) for _ in range(5)]
    world.fleet(count, "moon", State.BLOCKED, wanted=wanted, problem=found[0])
    with world.bench.storage.write() as tx:
        for number in range(count):
            tx.certificates.put_findings(f"cert_moon_{number:03}", found)
            of = alert(thing=f"ns{number}.{long}", id=f"alert_{number}", lead=found[0])
            tx.alerts.add(of)
    view = world.open(caller)
    assert len(view.content["blocks"]) <= 100
    if count == 50 and caller in (MOON, SUPPORT):
        assert len(view.shown) == 10
        assert view.buttons("home.turn")


# --- looking through it -----------------------------------------------------------------------------------------------


def test_pages_are_turned_there_and_back(world: HomeWorld) -> None:
    world.fleet(25)
    names = [f"moon{number:03}.test" for number in range(25)]
    first = world.open(MOON)
    assert [button["value"] for button in first.buttons("home.turn")] == ["next"]
    second = world.click(MOON, first, "home.turn next")
    third = world.click(MOON, second, "home.turn next")
    assert (first.shown, second.shown, third.shown) == (names[:10], names[10:20], names[20:])
    assert [button["value"] for button in third.buttons("home.turn")] == ["previous"]
    back = world.click(MOON, third, "home.turn previous")
    assert back.shown == second.shown
    assert world.click(MOON, back, "home.turn previous").shown == first.shown
    assert world.open(MOON).shown == first.shown  # opened again, it shows what it showed


def test_a_portion_is_chosen_and_a_search_is_over_all_of_them(world: HomeWorld) -> None:
    world.fleet(8)
    world.fleet(2, "star", State.FAILED)
    view = world.click(SUPPORT, world.open(SUPPORT), "home.show failed")
    assert view.shown == ["star000.test", "star001.test"]
    found = world.click(SUPPORT, view, "home.search", **{"home.search": "https://MOON003.test/cart"})
    assert found.shown == ["moon003.test"]
    assert world.click(SUPPORT, found, "home.find typed", **{"home.search": "star"}).shown == view.shown
    nothing = world.click(SUPPORT, found, "home.search", **{"home.search": "zzz"})
    assert "No certificate's name begins with" in nothing.text
    assert world.click(SUPPORT, nothing, "home.search").shown[0] == "star000.test"


def test_a_store_is_found_by_its_id_and_a_name_in_another_script(world: HomeWorld) -> None:
    world.fleet(1, "Sun-7")
    world.fleet(1, "moon", wanted=("xn--3e0b707e.test",), domain="xn--3e0b707e.test")
    for typed, shown in (("Sun-7", ["sun-7000.test"]), ("한국", ["한국.test"]), ("한국.test", ["한국.test"])):
        view = world.click(SUPPORT, world.open(SUPPORT), "home.search", **{"home.search": typed})
        assert view.shown == shown


def test_a_merchants_search_finds_their_own_alone(world: HomeWorld) -> None:
    world.fleet(6)
    world.fleet(6, "sun")
    view = world.open(MOON)
    for theirs, nobodys in (("sun000.test", "nos000.test"), ("sun", "nos")):
        texts = []
        for typed in (theirs, nobodys):
            found = world.click(MOON, view, "home.search", **{"home.search": typed})
            assert found.shown == []
            texts.append(found.text.replace(typed, "X"))
        assert texts[0] == texts[1]


def test_a_merchants_home_is_the_same_whatever_others_have(world: HomeWorld) -> None:
    def homes() -> list[str]:
        view = world.click(MOON, world.open(MOON), "home.show all")  # it begins where it was left
        seen = [view]
        for action in ("home.show installed", "home.show unwell", "home.show all", "home.turn next"):
            seen.append(world.click(MOON, seen[-1], action))
        seen.append(world.click(MOON, view, "home.search", **{"home.search": "moon0"}))
        return [json.dumps(one.content) for one in seen]

    world.fleet(12)
    before = homes()
    world.fleet(30, "sun", State.NEEDS_SUPPORT)
    assert homes() == before


def test_a_page_that_is_gone_begins_anew(world: HomeWorld) -> None:
    world.fleet(12)
    second = world.click(MOON, world.open(MOON), "home.turn next")
    for name in second.shown:
        world.bench.change(name, state=State.NEEDS_SUPPORT, not_after=None)
    assert world.open(MOON).shown[:2] == ["moon010.test", "moon011.test"]


def test_alerts_have_pages_too(world: HomeWorld) -> None:
    for number in range(8):
        thing = f"ns{number}.test"
        put(world.bench, alert(thing=thing, id=f"alert_{number}"), 1, name=f"shop{number}.test")
    first = world.open(ONCALL)
    second = world.click(ONCALL, first, "home.turn next")
    assert [len(view.buttons("alert.ack")) for view in (first, second)] == [6, 2]
    assert len(world.click(ONCALL, second, "home.turn previous").buttons("alert.ack")) == 6


def test_who_may_not_see_alerts_is_not_shown_them(world: HomeWorld) -> None:
    put(world.bench, alert())
    view = world.click(MOON, world.open(MOON), "home.show alerts")
    assert "dns.lame" not in view.text
    assert view.buttons("alert.ack") == []


# --- what is done -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (("moon.test", "a.moon.test"), "moon.test"),
        (("a.moon.test", "b.moon.test"), "a.moon.test"),
    ],
)
def test_a_certificate_is_called_by_a_name_of_its_own(names: tuple[str, ...], title: str) -> None:
    """The registrable domain of a store's sub-domain may be another store's."""
    world = HomeWorld()
    world.fleet(1, wanted=names, domain="moon.test")
    assert world.open(MOON).shown == [title]


def test_check_now_tries_what_waits_again_and_the_page_shows_it(world: HomeWorld) -> None:
    world.add("shop.moon.test")
    trouble(world, "shop.moon.test")
    view = world.open(MOON)
    [check] = view.buttons("home.check")
    after = world.click(MOON, view, f"home.check {check['value']}")
    assert "Checking DNS and policy" in after.text
    assert "certdesk checks `shop.moon.test` again now" in after.text
    assert world.bench.certificate("shop.moon.test").state is State.CHECKING
    with world.bench.storage.read() as tx:
        kept = tx.audit.last()
    assert kept is not None
    assert (kept.action, kept.actor, kept.result) == ("home.check", MOON.person, "done")


def test_check_now_only_looks_at_what_is_installed(world: HomeWorld) -> None:
    world.add("shop.moon.test")
    installed = world.bench.install("shop.moon.test")
    view = world.click(MOON, world.open(MOON), f"home.check {installed.id}")
    assert "certdesk looks at `shop.moon.test` now" in view.text
    with world.bench.storage.read() as tx:
        assert tx.certificates.get(installed.id) == installed
        assert tx.watches.next_due() == NOW


def test_a_renewal_is_confirmed_and_begins(world: HomeWorld) -> None:
    """The dialog of a button proves nothing: certdesk itself asks, where the question can show what became of it."""
    world.add("shop.moon.test")
    installed = world.bench.install("shop.moon.test")
    view = world.open(MOON)
    [renew] = view.buttons("home.renew")
    assert "confirm" not in renew
    after = world.click(MOON, view, f"home.renew {installed.id}")
    assert world.bench.certificate("shop.moon.test") == installed
    assert "Renew `shop.moon.test` now, before it is due?" in after.text
    assert "asked in a direct message to you" in after.text
    asked = f"prop_req_{world.clicks}"
    owed = message(world.bench, f"approval:{asked}")
    assert (owed.user, owed.channel, owed.private) == ("U_MOON", "", True)
    assert audited(world.bench) == (MOON.person, "home.renew", "shop.moon.test", "asked")
    assert "approval.confirm" in buttons(composed(world.bench, asked).reply)
    assert click(world.bench, "approval.confirm", asked, MOON) is None
    assert world.bench.certificate("shop.moon.test").state is State.CHECKING


def test_what_has_come_into_trouble_or_is_due_meanwhile_is_renewed_at_once(world: HomeWorld) -> None:
    world.add("shop.moon.test")
    installed = world.bench.install("shop.moon.test")
    view = world.open(MOON)
    world.bench.change("shop.moon.test", renew_at=world.bench.now)
    world.click(MOON, view, f"home.renew {installed.id}")
    assert world.bench.certificate("shop.moon.test").state is State.CHECKING


@pytest.mark.parametrize("action", ["home.check", "home.renew"])
def test_another_stores_certificate_and_an_unknown_one_are_answered_alike(
    world: HomeWorld, action: str
) -> None:
    world.add("shop.moon.test")
    world.add("shop.sun.test", store="sun")
    theirs = world.bench.certificate("shop.sun.test")
    trouble(world, "shop.sun.test")
    before = world.bench.certificate("shop.sun.test")
    view = world.open(MOON)
    texts = [world.click(MOON, view, f"{action} {value}").text for value in (theirs.id, "cert_0", "")]
    assert len(set(texts)) == 1
    assert "no longer knows this certificate" in texts[0]
    assert world.bench.certificate("shop.sun.test") == before


def test_who_is_unlinked_gets_an_empty_home_and_their_clicks_do_nothing(world: HomeWorld) -> None:
    person = replace(MOON, person="T1/U0000MOON")  # as Slack writes ids
    world.add("shop.moon.test")
    trouble(world, "shop.moon.test")
    linking.link(world.desk, Kind.PERSON, person.person, "moon", "T1/U_SUPPORT")
    view = world.open(person)
    before = world.bench.certificate("shop.moon.test")
    assert world.owed() == []
    unlinked = dispatch(f"unlink {person.person} moon", TERMINAL, world.desk)
    assert unlinked.exit_code == 0
    gone = Caller(person.person, Role.NOBODY)
    world.bench.now += timedelta(seconds=3)
    assert "moon" not in world.published(gone).text
    for text in (f"home.check {before.id}", "home.turn next", "home.show all", "home.search"):
        assert "moon" not in world.click(gone, view, text, **{"home.search": "shop"}).text
    assert world.bench.certificate("shop.moon.test") == before


def test_a_new_certificate_of_their_store_and_a_change_of_one_make_it_anew(world: HomeWorld) -> None:
    world.open(MOON)
    assert world.owed(DAY) == []
    world.add("shop.moon.test")
    assert world.owed() == []  # it is let settle first
    world.bench.now += timedelta(seconds=3)
    assert world.published(MOON).shown == ["shop.moon.test"]
    world.bench.install("shop.moon.test")
    world.bench.install("shop.moon.test")
    world.bench.now += timedelta(seconds=3)
    assert "Installed" in world.published(MOON).text  # both changes in one
    world.add("shop.sun.test", store="sun")
    assert world.owed(DAY) == []


def test_the_fleets_counts_are_looked_at_for_those_who_see_them(world: HomeWorld) -> None:
    assert home.stir(world.desk, {}) == {}
    world.fleet(11)
    world.open(SUPPORT)
    seen = home.stir(world.desk, {})
    world.bench.now += timedelta(seconds=3)
    world.published(SUPPORT)
    assert home.stir(world.desk, seen) == seen
    assert world.owed(DAY) == []
    world.bench.change("moon010.test", state=State.FAILED)  # on the second page
    assert world.owed(DAY) == []
    home.stir(world.desk, seen)
    world.bench.now += timedelta(seconds=3)
    assert world.published(SUPPORT).shown[0] == "moon010.test"


def test_a_merchants_home_is_made_anew_for_what_is_not_on_its_page(world: HomeWorld) -> None:
    world.fleet(11)
    world.fleet(1, store="sun")
    seen = home.stir(world.desk, {})
    view = world.open(MOON)
    world.click(MOON, view, "home.show needs_somebody")  # nothing does: no certificate stands on the page
    seen = home.stir(world.desk, seen)
    world.bench.now += timedelta(seconds=3)
    assert world.published(MOON).shown == []
    world.bench.change("sun000.test", state=State.FAILED)
    assert home.stir(world.desk, seen) == seen
    assert world.owed(DAY) == []  # another store's
    world.bench.change("moon010.test", state=State.FAILED)
    seen = home.stir(world.desk, seen)
    world.bench.now += timedelta(seconds=3)
    assert world.published(MOON).shown == ["moon010.test"]
    world.bench.now += timedelta(days=58)
    home.stir(world.desk, seen)  # some end soon by now, though nothing has happened to them
    assert [message.user for message in world.owed(DAY)] == ["U_MOON"]


# --- what a view carries ----------------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["what", "search", "after", "before", "last", "first"]), inner)
    ),
    max_leaves=8,
)


@given(carried=_JSON.map(json.dumps) | st.text(max_size=30), back=st.booleans())
def test_whatever_a_view_carries_can_be_turned(carried: str, back: bool) -> None:
    world = HomeWorld()
    world.fleet(2)
    shown = turned(carried, back=back)
    assert Shown.from_json(shown.to_json()) == shown
    view = world.open(MOON)
    form = {"values": {}, "memory": carried, "hash": "1", "kind": "home"}
    world.perform(MOON, "home.turn next", kind="click", form=form)
    assert world.published(MOON).content["type"] == view.content["type"]


def test_what_is_shown_survives_the_view() -> None:
    at = (3, "a.test", "cert_1")
    shown = Shown(what=Portion.FAILED, after=at)
    assert turned(memory(shown, at, (4, "b.test", "cert_2")), back=False) == replace(
        shown, after=(4, "b.test", "cert_2")
    )
    assert turned(memory(shown, at, None), back=False) == shown


def test_of_a_great_many_names_status_shows_the_worst_and_points_here(world: HomeWorld) -> None:
    world.fleet(251)
    for caller in (SUPPORT, MOON):
        reply = dispatch("status", caller, world.desk).reply
        assert reply.title.plain() == "The worst of a great many names"
        assert any("the Home tab" in part.text.plain() for part in reply.parts if isinstance(part, Hint))
    assert (
        dispatch("status", TERMINAL, world.desk).reply.title.plain()
        == "Names of all stores, worst first: 251"
    )
