"""A scan as people see it: how far it is, what is worst, and the whole of it in files. Pure but for what it reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from commands import copying, views
from commands.attachment import Attachment
from commands.reply import Composed, Fields, Hint, Outcome, Paragraph, Part, Reply, Row, Rows, Tone
from services.alerting import merchants
from services.desk import Desk
from services.model.scans import Advice, Kind, Problem, Scan, Site, Transport
from services.model.text import Text, Value, say, say_n, to_json
from services.ports import Message

VERB = "scan"
"""`Outcome.verb` of an answer that follows a scan."""
MESSAGE, FILES = "scan", "scan_files"
"""Kinds of messages: how a scan goes and what it found; and, in its thread, the files with all of it."""
HTML, CSV, PATCH = "scan.html", "scan.csv", "scan.patch"
"""The kinds of its attachments (`bot.attachments`)."""
MIXED = "content.mixed"
MOST = 8
"""How many of the worst are shown."""
KINDS: Mapping[Kind, Text] = {
    Kind.BLOCKABLE: say("browsers do not load it"),
    Kind.FORM: say("a form is sent there unprotected"),
    Kind.UPGRADEABLE: say("browsers ask for it over https"),
    Kind.LIKELY: say("stands in a script, and may be loaded"),
    Kind.NAVIGATIONAL: say("shoppers are led there"),
}
"""What comes of each class; a test holds it complete."""
BRIEFLY: Mapping[Kind, Text] = {
    Kind.BLOCKABLE: say("not loaded"),
    Kind.FORM: say("sent unprotected"),
    Kind.UPGRADEABLE: say("asked for over https"),
    Kind.LIKELY: say("in a script"),
    Kind.NAVIGATIONAL: say("a link"),
}
"""The same beside a URL, where there is little room."""
COUNTED: Mapping[Kind, Text] = {
    Kind.BLOCKABLE: say("Not loaded by browsers"),
    Kind.FORM: say("Unprotected forms"),
    Kind.UPGRADEABLE: say("Images, audio, video"),
    Kind.LIKELY: say("Perhaps, in scripts"),
    Kind.NAVIGATIONAL: say("Unprotected links"),
}
"""The same above a number."""
ADVICE: Mapping[Advice, Text] = {
    Advice.HTTPS: say("change http:// to https://"),
    Advice.UPLOAD: say("upload the file to the store, and link that"),
    Advice.REMOVE: say("remove it"),
}
WAYS: Mapping[str, Text] = {
    "https": say("leads there"),
    "closed": say("nothing answers over http://"),
    "missing": say("does not lead there"),
    "elsewhere": say("leads to another site"),
    "detour": say("leads there by way of http:// again"),
    "unknown": say("could not be seen"),
}
"""What http:// does (`services.model.scans.Transport.redirect`)."""
_DAY = 86_400
_TONES: Mapping[Kind, Tone] = {
    Kind.BLOCKABLE: Tone.BAD,
    Kind.FORM: Tone.BAD,
    Kind.UPGRADEABLE: Tone.WARN,
    Kind.LIKELY: Tone.INFO,
    Kind.NAVIGATIONAL: Tone.INFO,
}
_UNKNOWN = Reply(Tone.INFO, say("certdesk no longer knows this scan"))


@dataclass(frozen=True, slots=True)
class _Thing:
    """One insecure URL, wherever it stands: the first problem of it, and on how many pages it is."""

    problem: Problem
    pages: int


def body(outcome: Outcome) -> dict[str, Any]:
    """Return the body of the message that follows the scan which ``outcome`` asked for."""
    data = outcome.data or {}
    return {key: data[key] for key in ("name", "store", "asked_at")}


def scan_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``scan``, body {"name", "store", "asked_at"}: how far the scan is, then what it found."""
    site = _site(desk, message)
    if site is None:
        return Composed(replace(_UNKNOWN, private=message.private), final=True)
    if not _answered(site, message):
        return Composed(under_way(site, private=message.private), final=False)
    return Composed(found(site, private=message.private), final=True)


def files_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``scan_files``, of the same body: nothing until the scan is done, then its files, if there are any."""
    site = _site(desk, message)
    waits = site is not None and not _answered(site, message)
    if site is None or waits or site.scan is None or not site.scan.count:
        return Composed(_UNKNOWN, final=not waits, quiet=True)
    title = say("All that was found on the pages of {name}", name=views.shown(site.id))
    return Composed(Reply(Tone.INFO, title, attached(site.scan), private=message.private), final=True)


def news_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``scan_news``, body {"name", "store", "since", "first"}: what a merchant has to mend, and how they get on.

    A channel that has become another store's is told nothing any more.
    """
    store, since = str(message.body["store"]), datetime.fromisoformat(message.body["since"])
    with desk.storage.read() as tx:
        site = tx.scans.get(str(message.body["name"]))
        theirs = merchants.linked(tx, message.owed_to, store)
    if not theirs or (site is not None and site.store != store):
        return copying.elsewhere(message)
    if site is None or site.since != since or site.scan is None or site.count is None:
        return Composed(_UNKNOWN, final=True)
    return Composed(news(site, site.count, int(message.body["first"])), final=not site.count)


def _site(desk: Desk, message: Message) -> Site | None:
    """Return the row of the name, if it is still the store's for which the scan was asked."""
    with desk.storage.read() as tx:
        site = tx.scans.get(str(message.body["name"]))
    return site if site is not None and site.store == message.body["store"] else None


def _answered(site: Site, message: Message) -> bool:
    return site.answered is not None and site.answered >= datetime.fromisoformat(message.body["asked_at"])


def under_way(site: Site, *, private: bool) -> Reply:
    """Return how far a scan is."""
    title = say("Looking at the pages of {name}", name=views.shown(site.id))
    line = say(
        "Pages looked at: {pages}; things over http:// so far: {seen}.", pages=site.pages, seen=site.seen
    )
    hint = say("It takes some minutes at most: certdesk asks slowly, as a guest of the store should.")
    return Reply(Tone.PROGRESS, title, (Paragraph(line), Hint(hint)), private=private)


def found(site: Site, *, private: bool) -> Reply:
    """Return what the last scan of ``site`` found: a summary, and the worst of it."""
    name, scan = views.shown(site.id), site.scan
    if scan is None:
        title = say("{name} has left the store, so its pages were not looked at", name=name)
        return Reply(Tone.INFO, title, private=private)
    if not scan.count:
        return Reply(*_well(scan), private=private)
    things = _things(scan.problems)
    others = [finding for finding in scan.findings if finding.code != MIXED]
    parts: tuple[Part, ...] = (
        _fields(scan, things),
        *views.problems(others),
        *_table(things),
        *_skipped(scan),
        *_patch(scan),
    )
    return Reply(_tone(scan, things), _title(scan, things), parts, private=private)


def attached(scan: Scan) -> tuple[Attachment, ...]:
    """Return the files with all that was found; none if nothing was."""
    if not scan.count:
        return ()
    known = facts(scan)
    kinds = (HTML, CSV, PATCH) if scan.patch else (HTML, CSV)
    return tuple(Attachment(kind, known) for kind in kinds)


def facts(scan: Scan) -> dict[str, Any]:
    """Return the scan for its files: the machine contract's object, with its sentences so that they can be translated."""
    data = dict(scan.as_json())
    data["scanned_at"] = to_json(say("{moment}", moment=scan.scanned_at))
    data["whys"] = [to_json(problem.why) for problem in scan.problems]
    data["skips"] = [to_json(one.why) for one in scan.skipped]
    figures = _figures(scan, _things(scan.problems))
    data["figures"] = [[to_json(name), to_json(say("{value}", value=value))] for name, value in figures]
    data["said"] = [[to_json(one.summary), to_json(one.remedy)] for one in scan.findings]
    return data


def _things(problems: Sequence[Problem]) -> list[_Thing]:
    """Return what is wrong, each thing once, in the order of the problems: the gravest first."""
    pages: dict[tuple[str, str], set[str]] = {}
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault(problem.thing, problem)
        pages.setdefault(problem.thing, set()).add(problem.page)
    return [_Thing(problem, len(pages[thing])) for thing, problem in first.items()]


def _title(scan: Scan, things: Sequence[_Thing]) -> Text:
    name = views.shown(scan.name)
    if things:
        return say_n(
            "{count} thing on the pages of {name} is not over https",
            "{count} things on the pages of {name} are not over https",
            count=len(things),
            name=name,
        )
    return say("{name} is not always served over https", name=name)


def _tone(scan: Scan, things: Sequence[_Thing]) -> Tone:
    grave = any(
        _TONES[one.problem.found.kind] is Tone.BAD for one in things if not one.problem.found.mitigated
    )
    return Tone.BAD if grave or not scan.pages else Tone.WARN


def _well(scan: Scan) -> tuple[Tone, Text, tuple[Part, ...]]:
    name = views.shown(scan.name)
    if not scan.pages:
        title = say("No page of {name} could be looked at", name=name)
        why = tuple(
            Paragraph(say("{url}: {why}", url=views.clipped(one.url), why=one.why))
            for one in scan.skipped[:3]
        )
        return Tone.WARN, title, why
    title = say("The pages of {name} load nothing over http://", name=name)
    return Tone.GOOD, title, (_fields(scan, ()), *_skipped(scan))


def _fields(scan: Scan, things: Sequence[_Thing]) -> Fields:
    return Fields(tuple(_figures(scan, things)))


def _figures(scan: Scan, things: Sequence[_Thing]) -> Iterable[tuple[Text, Value]]:
    """Yield what there is to count, and how the name itself answers."""
    yield say("Pages looked at"), len(scan.pages)
    for kind in Kind:
        if count := sum(one.problem.found.kind is kind for one in things):
            yield COUNTED[kind], count
    yield say("From http to https"), WAYS[scan.transport.redirect]
    if scan.pages:
        yield say("Strict-Transport-Security"), _told_for(scan.transport)


def _told_for(transport: Transport) -> Text:
    """Return for how long browsers are told to use https alone."""
    if not transport.hsts:
        return say("not set")
    if transport.hsts < _DAY:
        return say("for less than a day")
    return say_n("for {count:,} day", "for {count:,} days", count=transport.hsts // _DAY)


def _table(things: Sequence[_Thing]) -> tuple[Part, ...]:
    rows = tuple(_row(one) for one in things[:MOST])
    return (Rows(rows), *views.more(len(things) - MOST)) if rows else ()


def _row(one: _Thing) -> Row:
    seen = one.problem.found
    detail = say_n(
        "{what}, on {count} page", "{what}, on {count} pages", count=one.pages, what=BRIEFLY[seen.kind]
    )
    tone = Tone.INFO if seen.mitigated else _TONES[seen.kind]
    return Row(views.clipped(seen.url), tone, ADVICE[one.problem.advice], detail)


def _skipped(scan: Scan) -> tuple[Part, ...]:
    if not scan.skipped:
        return ()
    first = scan.skipped[0]
    return (
        Hint(
            say_n(
                "{count} address was not looked at: {url}. {why}",
                "{count} addresses were not looked at; the first is {url}. {why}",
                count=len(scan.skipped),
                url=views.clipped(first.url),
                why=first.why,
            )
        ),
    )


def _patch(scan: Scan) -> tuple[Part, ...]:
    if not scan.patch:
        return ()
    return (
        Hint(
            say(
                "The file {file} changes the theme wherever https:// is all that is missing: read it, then apply it.",
                file=PATCH,
            )
        ),
    )


def news(site: Site, count: int, first: int) -> Reply:
    """Return what a merchant is told: so many things are wrong, of so many in the beginning."""
    name = views.shown(site.id)
    if not count:
        title = say("Thank you: the pages of {name} load nothing over http:// any more", name=name)
        return Reply(Tone.GOOD, title, (Paragraph(_progress(first, count)),))
    title = say("Browsers warn of pages of {name}, or leave parts of them out", name=name)
    things = _things(site.scan.problems) if site.scan is not None else []
    others = [one for one in site.scan.findings if one.code != MIXED] if site.scan is not None else []
    again = say(
        "It is looked at again within a week, or at once with: {command}",
        command=views.typed("scan", site.id),
    )
    parts = (Paragraph(_progress(first, count)), *views.problems(others), *_table(things), Hint(again))
    return Reply(Tone.WARN, title, parts)


def _progress(first: int, count: int) -> Text:
    if first == count:
        return say_n("{count} thing is not over https.", "{count} things are not over https.", count=count)
    return say("Not over https: {first} → {now}.", first=first, now=count)
