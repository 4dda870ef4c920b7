"""Names to choose from in a modal: those that have no certificate yet, and those whose renewal is due or blocked."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from commands import naming, pasted, views
from commands.command import Arguments, Call
from commands.reply import (
    Choice,
    Entry,
    Heading,
    Hint,
    Live,
    Outcome,
    Paragraph,
    Part,
    Refused,
    Reply,
    Row,
    Rows,
    Sheet,
    Tone,
)
from commands.reply_json import part_from_json, part_to_json
from services import overview
from services.desk import Desk
from services.model.findings import Finding, Verdict
from services.model.sight import Sight
from services.model.status import NameStatus
from services.model.text import Text, say
from services.ports import Transaction

ADD, ADD_STORE, RENEW = "add", "add.store", "renew"
"""Names of sheets (`commands.sheets.SHEETS`)."""
CHECKS = "sheet_checks"
"""Kind of a live sheet whose names are being checked (`commands.live.KINDS`)."""
NAMES, TYPED, STORE = "names", "typed", "store"
"""Fields of these sheets."""
MOST_OPTIONS = 100
"""Names that are offered: as many as a certificate may have, and as a menu of Slack's holds."""
MOST_CHECKED = 20
"""Names that are checked while the modal is open."""
AT_ONCE = 5
"""Names that are checked at the same time; what was found is then shown."""
MOST_LISTED = 1000
LONGEST = 150
"""Characters of an option's value (Slack's limit); a longer name can be typed."""
GET, AGAIN = say("Get certificates"), say("Renew certificates")


def memory(store: str | None) -> str:
    """Return what a modal carries: the store of which it speaks. What comes back proves nothing."""
    return json.dumps({"store": store})


def remembered(call: Call) -> str | None:
    """Return the store of which the modal said that it speaks, to be looked at as if it had been typed; None: of none."""
    try:
        held = json.loads(str(call.form.get("memory") or "{}"))
    except ValueError:
        return None
    store = held.get("store") if isinstance(held, dict) else None
    return store if isinstance(store, str) else None


def instead_of_names(call: Call, args: Arguments) -> tuple[str | None] | None:
    """Return (store or None) if names are to be offered to choose from: there is no word, or a store is the only one."""
    if not args.words:
        return (args.store,)
    only = pasted.store(args.words[0], call.desk, call.caller) if len(args.words) == 1 else None
    return None if only is None else (only,)


# --- which store ----------------------------------------------------------------------------------------------------


def start_adding(call: Call, given: str | None = None) -> Outcome:
    """Let the caller choose names to get certificates for: of the store ``given``, else of their only one.

    Who sees several stores chooses the store first. A store that is not the caller's is answered like one that is not.
    """
    if given is not None:
        given = pasted.meant(given, call.desk, call.caller)
        return _for_store(call, given) if naming.is_own_store(given, call) else _which_store(call, given)
    mine = _own_stores(call)
    return _for_store(call, mine[0]) if len(mine) == 1 else _which_store(call)


def _own_stores(call: Call) -> tuple[str, ...]:
    """Return the ids of a limited caller's stores; nothing for who sees all of them."""
    with call.desk.storage.read() as tx:
        return tuple(one for one in sorted(call.caller.stores or ()) if tx.stores.get(one) is not None)


def _which_store(call: Call, unknown: str | None = None) -> Outcome:
    """Ask for the store: who has a few chooses, who sees all types."""
    mine = _own_stores(call)
    heading = None if unknown is None else Heading(Tone.WARN, _no_store(unknown))
    title = say("Which store are the names of?")
    if call.caller.limited and not mine:
        none = say("You have no store here yet. To ask for one, type: {command}", command="/ssl link STORE")
        return Outcome(Reply(Tone.INFO, none, private=True), exit_code=1)
    hint = say("Its id, its page on the platform, or one of its domain names")
    options = tuple((one, say("{store}", store=one)) for one in mine[:MOST_OPTIONS])
    field: Choice | Entry = (
        Choice(STORE, title, options, several=False) if options else Entry(STORE, title, hint=hint)
    )
    sheet = Sheet(ADD_STORE, GET, (field,), submit=say("Next"), heading=heading)
    how = Hint(say("Type the names behind it: {command}", command=views.typed(ADD, "shop.example.com")))
    told = title if unknown is None else _no_store(unknown)
    return Outcome(Reply(Tone.WARN, told, (how,), private=True), exit_code=int(bool(unknown)), sheet=sheet)


def _no_store(given: str) -> Text:
    return say("There is no store {store} that you can see", store=views.clipped(given))


# --- names without a certificate ------------------------------------------------------------------------------------


def _for_store(call: Call, store: str, refused: Sequence[Refused] = (), typed: str = "") -> Outcome:
    """Offer the added names of a store of the caller's that no certificate has yet, and check them meanwhile."""
    with call.desk.storage.read() as tx:
        names = _without(tx, store)
    body = {
        "store": store,
        "names": names[:MOST_OPTIONS],
        "found": {},
        "refused": [part_to_json(one.problem) for one in refused],
        "typed": typed,
    }
    return Outcome(_instead(store, names), live=Live(CHECKS, body))


def again(call: Call, store: str, refused: Sequence[Refused], typed: str) -> Outcome:
    """Offer the same once more, with why none of what was chosen could be taken."""
    if not naming.is_own_store(store, call):
        return _which_store(call, store)
    return replace(_for_store(call, store, refused, typed), exit_code=1)


def _without(tx: Transaction, store: str) -> list[str]:
    """Return the added names of the store that no certificate of it has or is to have, sorted."""
    held = {name for one in tx.certificates.listing(store, MOST_LISTED) for name in one.wanted}
    added = (one.name for one in tx.stores.domains(store) if not one.default)
    return [name for name in added if name not in held and len(name) <= LONGEST]


def _instead(store: str, names: Sequence[str]) -> Reply:
    """Return the answer where no modal can be shown: the names, and how they are typed."""
    if not names:
        return Reply(Tone.INFO, _nothing_left(store), (how(ADD),), private=True)
    listed = say("{names}", names=views.shortened(names, views.MOST_ROWS))
    title = say("Names of the store {store} without a certificate: {count}", store=store, count=len(names))
    return Reply(Tone.INFO, title, (Paragraph(listed), how(ADD, names[0])), private=True)


def _nothing_left(store: str) -> Text:
    return say("Every added name of the store {store} has a certificate, or is getting one", store=store)


def how(verb: str, name: str = "shop.example.com") -> Hint:
    """Return how the command is typed with a name behind it."""
    return Hint(say("Type the names behind it: {command}", command=views.typed(verb, name)))


def sheet(body: Mapping[str, Any]) -> Sheet:
    """Return the names of a live sheet to choose from, with what was found so far. Its fields stay the same throughout.

    Slack keeps what was ticked and typed as long as a field does not change; so verdicts stand below the field.
    """
    store, names = str(body["store"]), tuple(map(str, body["names"]))
    parts: list[Part | Choice | Entry] = [part_from_json(one) for one in body["refused"]]
    if names:
        parts.append(_ticks(names))
        parts += _verdicts(names, body["found"])
    parts.append(typed_field(str(body["typed"]), optional=bool(names)))
    heading = Heading(Tone.INFO, say("Names of the store {store}", store=store))
    if not names:
        heading = Heading(Tone.GOOD, _nothing_left(store))
    if body["refused"]:
        heading = Heading(Tone.WARN, say("Nothing was done yet: no name could be taken"))
    return Sheet(ADD, GET, tuple(parts), GET, memory(store), heading)


def _ticks(names: Iterable[str]) -> Choice:
    options = tuple((name, say("{name}", name=views.shown(name))) for name in names)
    return Choice(NAMES, say("Names without a certificate"), options, optional=True)


def typed_field(initial: str = "", *, optional: bool = True) -> Entry:
    """Return the field for names that are not offered."""
    label = say("Other names") if optional else say("Names")
    hint = say("Domain names or addresses of pages, with commas or one on each line")
    return Entry(TYPED, label, initial, lines=True, hint=hint, optional=optional)


def _verdicts(names: Sequence[str], found: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return a line for each name that was looked at, and what is still to come."""
    rows = [one for name in names if name in found for one in _rows(found[name])]
    waiting = len(_unchecked(names, found))
    parts: list[Part] = [Rows(tuple(rows))] if rows else []
    if waiting:
        parts.append(Hint(say("Being checked now: {count}", count=waiting)))
    if len(names) > MOST_CHECKED:
        parts.append(Hint(say("The first {count} names are checked here.", count=MOST_CHECKED)))
    return tuple(parts)


def _rows(data: Mapping[str, Any]) -> tuple[Row, ...]:
    part = part_from_json(data)
    return part.rows if isinstance(part, Rows) else ()


def _unchecked(names: Iterable[str], found: Mapping[str, Any]) -> list[str]:
    return [name for name in list(names)[:MOST_CHECKED] if name not in found]


def checked(body: Mapping[str, Any]) -> bool:
    """Tell whether every name that is to be checked has its verdict."""
    return not _unchecked(body["names"], body["found"])


def check_some(desk: Desk, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Check the next few names; return the body with their verdicts, or None if there is none left to check."""
    some = _unchecked(body["names"], body["found"])[:AT_ONCE]
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
