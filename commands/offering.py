"""The names of a store that have no certificate yet, to be ticked in a modal: which store, which page of them, and the clicks there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commands import naming, offered, pasted, picking, views
from commands.command import Call
from commands.fields import Choice, Entry
from commands.offered import ALL, CHECKS, PAGE, SEARCH, Body
from commands.picking import ADD, ADD_STORE, GET, LONGEST, STORE, TYPED, how
from commands.reply import Heading, Hint, Live, Outcome, Paragraph, Part, Reply, Sheet, Tone
from commands.reply_json import part_to_json
from services.model.text import Text, say, to_json
from services.ports import Transaction

LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Said:
    """What stands above the names when they are offered again: what came of it the time before."""

    heading: Text
    parts: tuple[Part, ...] = ()
    typed: str = ""
    """What was typed, so that it is not lost."""
    chosen: tuple[str, ...] = ()


# --- which store ----------------------------------------------------------------------------------------------------


def start(call: Call, given: str | None = None, said: Said | None = None) -> Outcome:
    """Let the caller choose names to get certificates for: of the store ``given``, else of their only one.

    Who sees several stores chooses the store first. A store that is not the caller's is answered like one that is not.
    """
    if given is not None:
        given = pasted.meant(given, call.desk, call.caller)
        return _offer(call, given, said) if naming.is_own_store(given, call) else _which(call, said, given)
    mine = _own_stores(call)
    return _offer(call, mine[0], said) if len(mine) == 1 else _which(call, said)


def _own_stores(call: Call) -> tuple[str, ...]:
    """Return the ids of a limited caller's stores; nothing for who sees all of them."""
    with call.desk.storage.read() as tx:
        return tuple(one for one in sorted(call.caller.stores or ()) if tx.stores.get(one) is not None)


def _which(call: Call, said: Said | None = None, unknown: str | None = None) -> Outcome:
    """Ask for the store, or for a list: who has a few chooses, who has more than a menu holds or sees all types."""
    mine = _own_stores(call)
    heading = None if said is None else Heading(Tone.WARN, said.heading)
    heading = heading if unknown is None else Heading(Tone.WARN, _no_store(unknown))
    title = say("Which store are the names of?")
    if call.caller.limited and not mine:
        none = say("You have no store here yet. To ask for one, type: {command}", command="/ssl link STORE")
        return Outcome(Reply(Tone.INFO, none, private=True), exit_code=1)
    hint = say("Its id, its page on the platform, or one of its domain names")
    options = tuple((one, say("{store}", store=one)) for one in mine)
    field: Choice | Entry = (
        Choice(STORE, title, options, several=False, optional=True)
        if 0 < len(options) <= picking.MOST_OPTIONS
        else Entry(STORE, title, hint=hint, optional=True)
    )
    parts = (*(() if said is None else said.parts), field, picking.file_field())
    sheet = Sheet(ADD_STORE, GET, parts, submit=say("Next"), heading=heading)
    typed = Hint(say("Type the names behind it: {command}", command=views.typed(ADD, "shop.example.com")))
    told = title if unknown is None else _no_store(unknown)
    return Outcome(Reply(Tone.WARN, told, (typed,), private=True), exit_code=int(bool(unknown)), sheet=sheet)


def _no_store(given: str) -> Text:
    return say("There is no store {store} that you can see", store=views.clipped(given))


# --- a page of names ------------------------------------------------------------------------------------------------


def _offer(call: Call, store: str, said: Said | None = None, **view: Any) -> Outcome:
    """Offer a page of the added names of a store of the caller's that no certificate has yet, and check them meanwhile."""
    with call.desk.storage.read() as tx:
        names = _without(tx, store)
    body = {
        "store": store,
        "person": call.caller.person,
        "row": call.request,
        "heading": to_json(said.heading) if said else None,
        "said": [part_to_json(one) for one in said.parts] if said else [],
        "typed": said.typed if said else "",
        "chosen": list(said.chosen) if said else [],
        "found": {},
        "turn": 0,
        **_page(names, str(view.pop("find", "")), int(view.pop("first", 0))),
        **view,
    }
    return Outcome(_instead(store, names), live=Live(CHECKS, body))


def _page(names: Sequence[str], find: str, first: int) -> Mapping[str, Any]:
    """Return the page that begins at the name number ``first`` (from 0) of those in which ``find`` stands."""
    matching = [name for name in names if find in name or find in views.shown(name).casefold()]
    begin = min(first, max(0, len(matching) - 1)) // PAGE * PAGE
    page = matching[begin : begin + PAGE]
    return {"names": page, "first": begin, "count": len(matching), "all": len(names), "find": find}


def _without(tx: Transaction, store: str) -> list[str]:
    """Return the added names of the store that no certificate of it has or is to have, sorted."""
    every = tx.certificates.listing(store, max(1, tx.certificates.count(store)))
    held = {name for one in every for name in one.wanted}
    added = (one.name for one in tx.stores.domains(store) if not one.default)
    return [name for name in added if name not in held and len(name) <= LONGEST]


def _instead(store: str, names: Sequence[str]) -> Reply:
    """Return the answer where no modal can be shown: the names, and how they are typed."""
    if not names:
        return Reply(Tone.INFO, offered.nothing_left(store), (how(ADD),), private=True)
    listed = say("{names}", names=views.shortened(names, views.MOST_ROWS))
    title = say("Names of the store {store} without a certificate: {count:,}", store=store, count=len(names))
    return Reply(Tone.INFO, title, (Paragraph(listed), how(ADD, names[0])), private=True)


# --- clicks in it ---------------------------------------------------------------------------------------------------


def turn(call: Call) -> Outcome:
    """Show another page; the click's value is the number of the name with which it begins. What was ticked is kept."""
    given = call.words[0] if call.words else ""
    first = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
    body = _body(call)
    return _moved(call, body, str(body.get("find", "")), first)


def find(call: Call) -> Outcome:
    """Show the names in which what was typed stands, from the first on; all of them at the end of a search."""
    given = "" if call.words == (ALL,) else " ".join(call.filled(SEARCH)).strip()
    return _moved(call, _body(call), given.casefold()[:LONGEST_SEARCH], 0)


def chosen_elsewhere(call: Call) -> tuple[str, ...]:
    """Return the names that were ticked on pages which are not shown any more."""
    return tuple(offered.elsewhere(_body(call)))


def _moved(call: Call, body: Body, search: str, first: int) -> Outcome:
    store = str(body.get("store") or picking.remembered(call) or "")
    if not naming.is_own_store(store, call):
        return _which(call, unknown=store or None)
    return _offer(
        call,
        store,
        find=search,
        first=first,
        chosen=[*offered.elsewhere(body), *picking.ticked(call.form)],
        typed=" ".join(call.filled(TYPED)),
        found=body.get("found", {}),
        turn=_turns(call) + 1,
    )


def _body(call: Call) -> Body:
    """Return what the page was made of that was clicked or sent off, if it was the caller's; else nothing is known of it."""
    row = picking.held(call.form).get("row")
    if not isinstance(row, str) or not row:
        return {}
    with call.desk.storage.read() as tx:
        message = tx.outbox.by_key(f"view:{row}")
    if message is None or message.kind != CHECKS or message.body.get("person") != call.caller.person:
        return {}
    return message.body


def _turns(call: Call) -> int:
    found = picking.held(call.form).get("turn")
    return found if isinstance(found, int) and 0 <= found < 10**6 else 0
