"""/ssl scan NAME [PATH…]: look at the pages of a name for what is loaded, posted or led to over http://."""

from urllib.parse import urlsplit

from commands import naming, scan_view, views
from commands.caller import Action
from commands.command import Arguments, Call, Command, UsageError, arguments, some_words
from commands.reply import Outcome
from services import overview
from services.model.clock import rfc3339
from services.model.names import is_wildcard
from services.model.status import NameStatus
from services.model.text import say
from services.scanning.asking import ask

MOST_PATHS = 20
"""How many pages can be asked for by name."""


def run(call: Call) -> Outcome:
    """Have NAME scanned, and go on to show how far that is; what is found is shown in the same answer."""
    args = arguments(call)
    given, *_ = some_words(args)
    name = naming.read(given, call)
    if isinstance(name, NameStatus):
        return naming.refuse(call, name)
    if is_wildcard(name):
        raise UsageError(say("A wildcard has no pages. Give one of the names that it stands for."))
    paths = _paths(args, name)
    status = overview.describe(call.desk, name, store=args.store, visible=call.caller.scans)
    if status.store is None or _deleted(status):
        return naming.refuse(call, status, args.store)
    site = ask(call.desk, name, status.store, paths)
    return Outcome(
        scan_view.under_way(site, private=call.caller.limited),
        data={"name": name, "store": site.store, "asked_at": rfc3339(site.asked_at)},
        follows=(site.thing,),
        verb=scan_view.VERB,
        names=(name,),
        subject=" ".join((name, *paths)),
    )


def _deleted(status: NameStatus) -> bool:
    return any(finding.code == "store.deleted" for finding in status.findings)


def _paths(args: Arguments, name: str) -> tuple[str, ...]:
    """Return the pages that are asked for, as paths on ``name``. Raises UsageError for what is on another host, or no path."""
    paths = tuple(dict.fromkeys(_path(word, name) for word in args.words[1:]))
    if len(paths) > MOST_PATHS:
        raise UsageError(
            say(
                "{count} pages were given, and one scan takes at most {most}.",
                count=len(paths),
                most=MOST_PATHS,
            )
        )
    return paths


def _path(word: str, name: str) -> str:
    if word.startswith("/") and not word.startswith("//"):
        return word.partition("#")[0]
    whole = f"https://{word}" if word.startswith(f"{name}/") else word  # as Slack shows an address
    try:
        parts = urlsplit(whole)
        there = parts.scheme in ("http", "https") and (parts.hostname or "").rstrip(".") == name
    except ValueError:
        there = False
    if not there:
        raise UsageError(
            say(
                "“{given}” is no page of {name}: give a path, such as /checkout.",
                given=views.clipped(word),
                name=views.shown(name),
            )
        )
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


COMMAND = Command(
    name="scan",
    action=Action.SCAN,
    summary=say(
        "Look at a store's pages for what is loaded, posted or led to over http://, and say how to mend it"
    ),
    usage="/ssl scan NAME [PATH…] [--store STORE]",
    example="/ssl scan shop.example.com /checkout",
    run=run,
)
