"""What comes of every way to ask: commands, clicks, modals that are sent off, shared links and the Home tab."""

from collections.abc import Iterator
from dataclasses import replace

from commands import live, requests
from commands.menu import ITEMS
from commands.reply import Reply
from services.model.lifecycle import State
from services.ports import Request
from tests.desks import Bench, finding
from tests.samples.sample import Sample, in_modal, owed, viewed
from tests.unit.alert_world import DAY
from tests.unit.commands_world import alert, desk_of, make_bench, put
from tests.unit.home_world import HomeWorld
from tests.unit.isolation_world import CALLERS, OWN, PEOPLE, UNKNOWN, Given, Seen, filled, look_home, world
from tests.unit.sheet_world import Screen, ask, rows

WHO = tuple(CALLERS[name] for name in ("support", "oncall", "merchant", "nobody", "nobody knows"))


def asked(kind: str, given: Given) -> Iterator[Sample]:
    """Yield all that is shown when it is asked, by people of every kind, about their own store and about none there is."""
    for caller in WHO:
        for store in (OWN, UNKNOWN):
            bench = world()
            desk, sent = desk_of(bench), filled(store, bench, given)
            request = Request(
                "r",
                "once",
                "T1",
                "U1",
                "C1",
                sent.text,
                bench.now,
                kind=kind,
                trigger="t",
                view="V1" if sent.form else "",
                form=sent.form,
            )
            with bench.storage.write() as tx:
                assert tx.requests.add(request)
                [claimed] = tx.requests.claim(bench.now, DAY, 10)
            screens = Seen()
            requests.perform(desk, claimed, caller, PEOPLE, screens, rooms=screens, uploads=sent)
            look_home(desk, caller, screens)
            if kind == requests.LINKS:
                led = str(sent.form["links"][0]).split("/")[3]
                yield from (Sample(f"link {led}", one) for one in screens.shown if isinstance(one, Reply))
            yield from viewed(one for one in screens.shown if not isinstance(one, Reply))
            yield from owed(desk)


def menus() -> Iterator[Sample]:
    """Yield the menu of every role, and the page behind each of its buttons."""
    for caller in CALLERS.values():
        bench, screen = make_bench(), Screen()
        ask(bench, caller, screen)
        form = {"memory": "", "kind": "modal", "values": {}}
        for item in ITEMS:
            ask(
                bench,
                caller,
                screen,
                kind="click",
                text=f"{item.id} -",
                channel="",
                view="V1",
                form=form,
            )
        yield from viewed(screen.sheets)


def names() -> Iterator[Sample]:
    """Yield the pages of names to be ticked: a few and many; turned, searched, searched in vain; as they are checked."""
    support = CALLERS["support"]
    for count in (0, 1, 25, 130):
        bench, screen = make_bench(), Screen()
        bench.store("moon", *(f"n{number:03}.moon.test" for number in range(count)))
        bench.checker.says["n000.moon.test"] = (finding("dns.not_hosted", "n000.moon.test"),)
        ask(bench, support, screen, text="add --store moon")
        yield from _while_checked(bench)
        for text, looked_for in (
            ("turn 30", ""),
            ("find typed", "n01"),
            ("search", "nowhere"),
            ("find all", ""),
        ):
            values = {"names": ["n000.moon.test"], "sheet.search": looked_for}
            form = {"memory": screen.sheets[-1].memory, "kind": "modal", "hash": "1.a", "values": values}
            ask(
                bench,
                support,
                screen,
                kind="click",
                text=f"sheet.{text}",
                channel="",
                view="V1",
                form=form,
            )
        yield from viewed(screen.sheets)
        yield from _while_checked(bench)


def _while_checked(bench: Bench) -> Iterator[Sample]:
    for row in rows(bench):
        yield from in_modal(bench.desk, row)
        body = row.body
        while (checked := live.work(bench.desk, replace(row, body=body))) is not None:
            body = checked
            yield from in_modal(bench.desk, replace(row, body=body))


def homes() -> Iterator[Sample]:
    """Yield the Home tab of every role: with nothing, with trouble, and where there is more than a page."""
    for count in (0, 1, 25):
        for caller in CALLERS.values():
            at_home = HomeWorld()
            at_home.fleet(count, "moon", State.INSTALLED)
            at_home.fleet(count, "sun", State.NEEDS_SUPPORT)
            for number in range(count):
                put(at_home.bench, alert(thing=f"ns{number}.test", id=f"alert_{number}"), 2)
            view = at_home.open(caller)
            turned = at_home.click(caller, view, "home.turn next")
            found = at_home.click(caller, view, "home.search", **{"home.search": "moon"})
            yield from viewed(one.seen.page for one in (view, turned, found))
