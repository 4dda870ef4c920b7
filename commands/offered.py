"""What a page of names to be ticked shows, and the checks of those names while it is open; `commands.offering` offers it."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from commands import picking, views
from commands.fields import Choice, Entry
from commands.picking import ADD, GET, NAMES
from commands.reply import Button, Buttons, Heading, Hint, Paragraph, Row, Rows, Sheet, SheetPart, Tone
from commands.reply_json import part_from_json, part_to_json
from services import overview
from services.desk import Desk
from services.model.findings import Finding, Verdict
from services.model.sight import Sight
from services.model.status import NameStatus
from services.model.text import Text, from_json, say

CHECKS = "sheet_checks"
"""Kind of a live sheet whose names are being checked (`commands.live.KINDS`)."""
SEARCH, FIND, TURN = "sheet.search", "sheet.find", "sheet.turn"
"""Actions: what is typed is searched for, by Enter and by a button; another page."""
ALL = "all"
"""What the button carries that ends a search."""
PAGE = 30
"""Names of one page: each is checked, and nothing is asked about names that nobody looks at."""
GROUP = 10
"""Names of one field: as many as Slack has boxes for in one; below it stands what was found of them."""
AT_ONCE = 5
"""Names that are checked at the same time; what was found is then shown."""
MOST_NAMED = 10
"""Names that are said to be ticked on other pages."""
Body = Mapping[str, Any]
"""What such a sheet is made of; it stays in the database and is shown to nobody, so what it says can be trusted."""


def nothing_left(store: str) -> Text:
    """Return the sentence for a store all of whose names are seen to."""
    return say("Every added name of the store {store} has a certificate, or is getting one", store=store)


def elsewhere(body: Body) -> list[str]:
    """Return the names that are ticked on pages which are not shown."""
    return [name for name in body.get("chosen", ()) if name not in body.get("names", ())]


# --- what it shows --------------------------------------------------------------------------------------------------


def sheet(body: Body) -> Sheet:
    """Return a page of names to choose from, with what was found so far. Its fields stay the same throughout.

    Slack keeps what was ticked and typed as long as a field does not change; so verdicts stand below the fields, and
    another page has other fields.
    """
    store, names = str(body["store"]), tuple(map(str, body["names"]))
    parts: list[SheetPart] = [part_from_json(one) for one in body.get("said", ())]
    parts += _search(body)
    for place in range(0, len(names), GROUP):
        parts += _group(body, names, place)
    parts += _below(body, names)
    parts += [picking.typed_field(str(body["typed"]), others=bool(names)), picking.file_field()]
    memory = picking.memory(
        store, row=body.get("row", ""), turn=body.get("turn", 0), kept=len(elsewhere(body))
    )
    return Sheet(ADD, GET, tuple(parts), GET, memory, _heading(body, store))


def _heading(body: Body, store: str) -> Heading:
    if body.get("heading"):
        return Heading(Tone.WARN, from_json(body["heading"]))
    if not body.get("all", len(body["names"])):
        return Heading(Tone.GOOD, nothing_left(store))
    return Heading(Tone.INFO, say("Names of the store {store}", store=store))


def _search(body: Body) -> Iterator[SheetPart]:
    """Yield the search, where there are more names than a page holds."""
    if body.get("all", 0) <= PAGE:
        return
    hint = say("A part of a name, such as shop. What you have ticked stays ticked.")
    yield Entry(SEARCH, say("Find a name"), str(body["find"]), hint=hint, optional=True, enters=True)
    ends = (Button(FIND, ALL, say("Show all")),) if body["find"] else ()
    yield Buttons((Button(FIND, "typed", say("Search")), *ends))
    if body["find"] and not body["names"]:
        yield Paragraph(say("“{search}” is in none of the names.", search=views.clipped(str(body["find"]))))


def _group(body: Body, names: Sequence[str], place: int) -> Iterator[SheetPart]:
    """Yield a field of names, and below it a line for each that was looked at."""
    some, turns = names[place : place + GROUP], int(body.get("turn", 0))
    label = say("Names without a certificate")
    if body.get("count", len(names)) > GROUP:
        first = int(body.get("first", 0)) + place
        label = say(
            "Names without a certificate, {first:,} to {last:,} of {count:,}",
            first=first + 1,
            last=first + len(some),
            count=int(body.get("count", len(names))),
        )
    options = tuple((name, say("{name}", name=views.shown(name))) for name in some)
    held = tuple(name for name in body.get("chosen", ()) if name in some)
    own = NAMES if not place and not turns else f"{NAMES}.{turns}.{place}"
    yield Choice(own, label, options, held, optional=True)
    rows = tuple(one for name in some if name in body["found"] for one in _rows(body["found"][name]))
    if rows:
        yield Rows(rows)


def _below(body: Body, names: Sequence[str]) -> Iterator[SheetPart]:
    """Yield what is still to come, what is not shown, and the way to it."""
    waiting, ticked = len(_unchecked(body)), elsewhere(body)
    if waiting:
        yield Hint(say("Being checked now: {count}", count=waiting))
    first, count = int(body.get("first", 0)), int(body.get("count", len(names)))
    if count > len(names):
        buttons = []
        if first:
            buttons.append(Button(TURN, str(first - PAGE), say("Previous page")))
        if first + len(names) < count:
            buttons.append(Button(TURN, str(first + PAGE), say("Next page")))
        yield Buttons(tuple(buttons))
        text = say(
            "Not shown here: {more:,}. Turn the page, or search for a part of a name; they are checked as soon as they are shown.",
            more=count - len(names),
        )
        yield Hint(text)
    if ticked:
        yield Hint(say("Ticked on other pages: {names}", names=views.shortened(ticked, MOST_NAMED)))


def _rows(data: Mapping[str, Any]) -> tuple[Row, ...]:
    part = part_from_json(data)
    return part.rows if isinstance(part, Rows) else ()


# --- checks ---------------------------------------------------------------------------------------------------------


def _unchecked(body: Body) -> list[str]:
    return [name for name in body["names"] if name not in body["found"]]


def checked(body: Body) -> bool:
    """Tell whether every name that is shown has its verdict."""
    return not _unchecked(body)


def check_some(desk: Desk, body: Body) -> Body | None:
    """Check the next few names; return the body with their verdicts, or None if there is none left to check."""
    some = _unchecked(body)[:AT_ONCE]
    if not some:
        return None
    store = str(body["store"])

    def check(name: str) -> NameStatus:
        return overview.check(desk, name, store=store, visible=Sight(frozenset({store})))

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sheet") as pool:
        statuses = list(pool.map(check, some))
    lines = {one.name: part_to_json(Rows((_line(one),))) for one in statuses}
    return {**body, "found": {**body["found"], **lines}}


def _silent(finding: Finding) -> bool:
    """Tell whether DNS did not answer, so that nobody knows whether the name is in order."""
    return finding.verdict is Verdict.UNKNOWN and finding.code.startswith("dns.")


def _line(status: NameStatus) -> Row:
    """Return what the checks say of a name without a certificate."""
    row = views.row(status)
    if status.certificate is not None:  # another has asked for it meanwhile
        return row
    if status.blocked:
        return replace(row, label=say("cannot get one yet"))
    silent = next((one for one in status.findings if _silent(one)), None)
    if silent is not None:
        return replace(row, label=say("not everything could be seen"), detail=silent.summary)
    return replace(row, tone=Tone.GOOD, label=say("nothing is in the way"))
