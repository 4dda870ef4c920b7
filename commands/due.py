"""Certificates whose renewal is due or blocked, to choose from in a modal."""

from datetime import datetime

from commands import naming, views
from commands.command import Call
from commands.fields import Choice
from commands.picking import AGAIN, LONGEST, MOST_OPTIONS, NAMES, RENEW, how, memory, typed_field
from commands.reply import Heading, Hint, Outcome, Part, Reply, Rows, Sheet, SheetPart, Tone
from services import overview
from services.model.lifecycle import State
from services.model.status import NameStatus
from services.model.text import Text, say
from services.renewal import asking


def renewing_of(call: Call, store: str | None) -> Outcome:
    """Let the caller choose as in `start_renewing`; a store that is not theirs is answered like one that is not there."""
    if store is not None and not naming.is_own_store(store, call):
        return naming.unknown_store(store, call, {"certificates": []})
    return start_renewing(call, store)


def start_renewing(call: Call, store: str | None = None, heading: Heading | None = None) -> Outcome:
    """Let the caller choose among the certificates whose renewal is due or blocked, the worst first."""
    now = call.desk.clock()
    statuses = overview.listing(call.desk, store=store, visible_stores=call.caller.stores, limit=MOST_OPTIONS)
    first = {one.certificate.id: one for one in reversed(statuses) if one.certificate and _due(one, now)}
    found = [one for one in statuses if one.certificate and first.get(one.certificate.id) is one]
    due = [one for one in found if len(one.name) <= LONGEST]
    rows = tuple(views.row(one) for one in due)
    title = say("Certificates whose renewal is due or blocked: {count}", count=len(due))
    if not due:
        title = say("No renewal is due or blocked")
    parts: list[SheetPart] = []
    if due:
        options = tuple((one.name, _option(one, call)) for one in due)
        parts.append(Choice(NAMES, say("Certificates"), options, optional=True))
        parts += [Rows(rows[: views.MOST_ROWS]), *views.more(len(rows) - views.MOST_ROWS)]
    if len(statuses) == MOST_OPTIONS:
        text = "The {most} worst are looked at here. Others can be typed below, or all of one store offered: {command}"
        parts.append(Hint(say(text, most=MOST_OPTIONS, command="/ssl renew --store STORE")))
    parts.append(typed_field(others=bool(due), optional=bool(due)))
    head = heading or Heading(Tone.INFO, title)
    shown = Sheet(RENEW, AGAIN, tuple(parts), say("Renew now"), memory(store), head)
    told: tuple[Part, ...] = (Rows(rows[: views.MOST_ROWS]),) if rows else ()
    typed = how(RENEW, due[0].name) if due else how(RENEW)
    return Outcome(Reply(Tone.INFO, title, (*told, typed), private=True), sheet=shown)


def _due(status: NameStatus, now: datetime) -> bool:
    """Tell whether something is there to renew: what rests, and whose renewal would not be forced."""
    certificate = status.certificate
    if certificate is None or not certificate.resting:
        return False
    nothing_planned = certificate.state is State.INSTALLED and certificate.renew_at is None
    return not asking.early(status, now) and (status.blocked or not nothing_planned)


def _option(status: NameStatus, call: Call) -> Text:
    certificate = status.certificate
    names = views.shortened(certificate.wanted, 2) if certificate is not None else views.shown(status.name)
    if call.caller.stores is not None and len(call.caller.stores) < 2:
        return say("{names}", names=names)
    return say("{names} of {store}", names=names, store=views.known(status.store))
