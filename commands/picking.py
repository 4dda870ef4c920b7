"""Names to choose from in a modal: what the pages of `commands.offering` and `commands.due` have in common."""

import json
from collections.abc import Mapping
from typing import Any

from commands import pasted, views
from commands.command import Arguments, Call
from commands.fields import Entry, Files
from commands.reply import Hint
from commands.uploads import KINDS
from services.bulk.lists import MOST_BYTES
from services.model.text import say

ADD, ADD_STORE, RENEW = "add", "add.store", "renew"
"""Names of sheets (`commands.sheets.SHEETS`)."""
NAMES, TYPED, STORE, FILE = "names", "typed", "store", "file"
"""Fields of these sheets. Names that are ticked in several fields stand in ``names``, ``names.…`` and so on."""
MOST_OPTIONS = 100
"""Certificates that are offered in one menu of Slack's."""
LONGEST = 150
"""Characters of an option's value (Slack's limit); a longer name can be typed."""
GET, AGAIN = say("Get certificates"), say("Renew certificates")


def memory(store: str | None, **more: Any) -> str:
    """Return what a modal carries: the store of which it speaks. What comes back proves nothing."""
    return json.dumps({"store": store, **more})


def held(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a modal has carried, whatever its shape."""
    try:
        found = json.loads(str(form.get("memory") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def remembered(call: Call) -> str | None:
    """Return the store of which the modal said that it speaks, to be looked at as if it had been typed; None: of none."""
    store = held(call.form).get("store")
    return store if isinstance(store, str) else None


def ticked(form: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that were ticked in a modal, whichever of its fields they stand in."""
    found: list[str] = []
    for name, value in form.get("values", {}).items():
        if name == NAMES or str(name).startswith(f"{NAMES}."):
            found += (value,) if isinstance(value, str) else map(str, value)
    return tuple(dict.fromkeys(found))


def files(form: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return what was put into a modal's field for a list, as `bot.slack.payloads` has it: id, name, size, kind, external."""
    return tuple(form.get("files", {}).get(FILE, ()))


def instead_of_names(call: Call, args: Arguments) -> tuple[str | None] | None:
    """Return (store or None) if names are to be offered to choose from: there is no word, or a store is the only one."""
    if not args.words:
        return (args.store,)
    only = pasted.store(args.words[0], call.desk, call.caller) if len(args.words) == 1 else None
    return None if only is None else (only,)


def typed_field(initial: str = "", *, others: bool = True, optional: bool = True) -> Entry:
    """Return the field for names that are not offered; ``others``: beside some that are."""
    label = say("Other names") if others else say("Names")
    hint = say("Domain names or addresses of pages, with commas or one on each line")
    return Entry(TYPED, label, initial, lines=True, hint=hint, optional=optional)


def file_field() -> Files:
    """Return the field for a list of names."""
    hint = say(
        "A text or CSV file with a name in each line, or store,name; {most} kB at the most. What it means is shown to you"
        " before anything is done.",
        most=MOST_BYTES // 1024,
    )
    return Files(FILE, say("Or a list of names"), tuple(sorted(KINDS)), hint)


def how(verb: str, name: str = "shop.example.com") -> Hint:
    """Return how the command is typed with a name behind it."""
    return Hint(say("Type the names behind it: {command}", command=views.typed(verb, name)))
