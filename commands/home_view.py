"""The Home tab as a person sees it: the platform's people the fleet or its alerts, merchants their stores, others how to be linked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from commands import alert_view, views
from commands.alert_words import TONES
from commands.caller import Action, Caller, Role
from commands.fields import Entry
from commands.help import access
from commands.home_memory import ALERTS, Shown, memory
from commands.reply import (
    Button,
    Buttons,
    Divider,
    Fields,
    Hint,
    Menu,
    Page,
    Paragraph,
    Row,
    Rows,
    Title,
    Tone,
    ViewPart,
)
from commands.spans import number
from services.fleet import Standing
from services.model.certificates import Certificate
from services.model.findings import Owner
from services.model.fleet import Counts, Portion, Position
from services.model.lifecycle import State
from services.model.settings import Alerting
from services.model.text import NOTHING, Text, Value, say

SEARCH, FIND, SHOW, TURN = "home.search", "home.find", "home.show", "home.turn"
CHECK, RENEW = "home.check", "home.renew"
NEXT, PREVIOUS = "next", "previous"
SIZE, FEW_ALERTS = 10, 6
"""How many certificates, or alerts, a page has: a Home holds 100 blocks."""
MOST_PROBLEMS = 2
MOST_NAMES = 5
FEW = 5
"""So many certificates are seen at a glance: nobody needs a search or a choice."""

PORTIONS: Mapping[Portion, Text] = {
    Portion.ALL: say("All certificates"),
    Portion.NEEDS_SOMEBODY: say("What needs somebody"),
    Portion.NEEDS_SUPPORT: say("Needs a support agent"),
    Portion.FAILED: say("Failed, will be tried again"),
    Portion.BLOCKED: say("Blocked, watched"),
    Portion.UNDER_WAY: say("Under way"),
    Portion.INSTALLED: say("Installed"),
    Portion.EXPIRED: say("Expired"),
    Portion.ENDING: say("Expires within 7 days"),
}
"""What the portions of the fleet are called."""
_COUNTED = tuple(portion for portion in Portion if portion not in {Portion.ALL, Portion.NEEDS_SOMEBODY})


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a Home is made of."""

    caller: Caller
    now: datetime
    shown: Shown = field(default_factory=Shown)
    counts: Counts = field(default_factory=Counts)
    standings: tuple[Standing, ...] = ()
    alerts: tuple[alert_view.Facts, ...] = ()
    alerts_open: int = 0
    """How many alerts are open; of a great many, the most that are counted."""
    first: Position | None = None
    last: Position | None = None
    earlier: bool = False
    more: bool = False
    note: Text = NOTHING
    """What came of the last click."""


def page(facts: Facts, policy: Alerting) -> Page:
    """Return the Home tab."""
    if not facts.caller.may(Action.LOOK):
        return Page(_stranger(facts.caller))
    body = _alerts(facts, policy) if facts.shown.alerts else _certificates(facts)
    parts = (*_top(facts), *body, *_turning(facts))
    return Page(parts, memory(facts.shown, facts.first, facts.last))


def _stranger(caller: Caller) -> tuple[ViewPart, ...]:
    """Return how to be linked; nothing of any store."""
    hint = say("What there is, you can read with: {command}", command=views.typed("help"))
    link = Buttons((Button("menu.link", "-", say("Link me to a store"), "primary"),))
    ask = (link,) if caller.may(Action.ASK_LINK) else ()
    return Title(say("Manage certificates")), Paragraph(access(caller, Action.LOOK)), *ask, Hint(hint)


# --- the top: what there is, and what to look at ----------------------------------------------------------------------


def _top(facts: Facts) -> tuple[ViewPart, ...]:
    note = () if facts.note == NOTHING else (Paragraph(facts.note),)
    title = say("Open alerts") if facts.shown.alerts else say("Manage certificates")
    parts = (*note, *_starting(facts.caller), Hint(_whose(facts)), *_counts(facts), *_choosing(facts))
    return (Title(title), *parts, Divider())


def _starting(caller: Caller) -> tuple[ViewPart, ...]:
    """Return what opens a modal, as in the menu of the command."""
    if not caller.may(Action.CHANGE):
        return ()
    get = Button("menu.add", "-", say("Get certificates"), "primary")
    return (Buttons((get, Button("menu.renew", "-", say("Renew")))),)


def _whose(facts: Facts) -> Text:
    stores = facts.caller.stores
    if stores is None:
        return say("All stores. This page changes by itself when something changes.")
    return say(
        "Your stores: {stores}. This page changes by itself when something changes.",
        stores=tuple(sorted(stores)),
    )


def _counts(facts: Facts) -> tuple[ViewPart, ...]:
    """Return how many certificates there are in each state: for the platform's own people, who see more than a page."""
    if facts.caller.limited or facts.shown.alerts:
        return ()
    pairs: list[tuple[Text, Value]] = [(say("Certificates"), number(facts.counts.total))]
    pairs += [(PORTIONS[portion], number(facts.counts.of(portion))) for portion in _COUNTED]
    if facts.caller.may(Action.ALERTS):
        pairs.append((say("Open alerts"), number(facts.alerts_open)))
    return (Fields(tuple(pairs)),)


def _choosing(facts: Facts) -> tuple[ViewPart, ...]:
    """Return the menu and the search, where there is more than can be seen at a glance."""
    narrowed = facts.shown.search or facts.shown.what not in {None, Portion.ALL}
    if facts.counts.total <= FEW and facts.caller.limited and not narrowed:
        return ()
    menu = Menu(SHOW, _now_shown(facts.shown), _choices(facts))
    if facts.shown.alerts:
        return (Buttons((menu,)),)
    hint = say("The beginning of a name, such as shop.example.")
    if not facts.caller.limited:
        hint = say("The beginning of a name, such as shop.example, or of a store's id.")
    field_ = Entry(SEARCH, say("Search"), facts.shown.search, hint=hint, optional=True, enters=True)
    clear = Button(SHOW, Portion.ALL.value, say("Show all"))
    again = (clear,) if facts.shown.search else ()
    return field_, Buttons((Button(FIND, "typed", say("Search")), *again, menu))


def _now_shown(shown: Shown) -> Text:
    if shown.alerts:
        return say("Open alerts")
    return say("Found by the search") if shown.search else PORTIONS[shown.what or Portion.ALL]


def _choices(facts: Facts) -> tuple[tuple[str, Text], ...]:
    choices = tuple((one.value, _counted(PORTIONS[one], facts.counts.of(one))) for one in Portion)
    if not facts.caller.may(Action.ALERTS):
        return choices
    return ((ALERTS, _counted(say("Open alerts"), facts.alerts_open)), *choices)


def _counted(what: Text, count: int) -> Text:
    return say("{what}: {number}", what=what, number=number(count))


# --- certificates -----------------------------------------------------------------------------------------------------


def _certificates(facts: Facts) -> tuple[ViewPart, ...]:
    if not facts.standings:
        return _nothing(facts)
    title = say("{what}, worst first", what=_now_shown(facts.shown))
    if facts.shown.search:
        title = say("Found for “{search}”, by name", search=views.clipped(facts.shown.search))
    cards = [part for one in facts.standings for part in (*_card(one, facts), Divider())]
    return Hint(title), *cards[:-1]


def _nothing(facts: Facts) -> tuple[ViewPart, ...]:
    shown = facts.shown
    if shown.search:
        given = views.clipped(shown.search)
        return (Paragraph(say("No certificate's name begins with “{search}”.", search=given)),)
    if facts.counts.total:
        return (Paragraph(say("There is nothing here now: {what}.", what=_now_shown(shown))),)
    hint = Hint(say("To get one, type: {command}", command=views.typed("add", "shop.example.com")))
    return Paragraph(say("There are no certificates yet.")), hint


def _card(one: Standing, facts: Facts) -> tuple[ViewPart, ...]:
    certificate = one.certificate
    row = Rows((Row(views.shown(certificate.name), _tone(one), one.label, NOTHING),))
    problems = views.problems(one.findings, MOST_PROBLEMS)
    if facts.caller.limited:
        problems = views.yours(problems)
    return row, Fields(_facts_of(one, facts)), *problems, *_buttons(one, facts.caller)


def _tone(one: Standing) -> Tone:
    tone = views.tone_of(one.certificate.state)
    return Tone.WARN if one.blocked and tone is Tone.GOOD else tone


def _facts_of(one: Standing, facts: Facts) -> tuple[tuple[Text, Value], ...]:
    certificate = one.certificate
    names = (say("Names"), views.shortened(certificate.wanted, MOST_NAMES))
    pairs: list[tuple[Text, Value]] = [names]
    if facts.caller.stores is None or len(facts.caller.stores) > 1:
        pairs.append((say("Store"), certificate.store))
    if certificate.not_after is not None:
        ended = certificate.not_after <= facts.now
        pairs.append((say("Expired on") if ended else say("Valid until"), certificate.not_after))
    if certificate.rolled_back is not None:
        pairs.append((say("Rolled back on"), certificate.rolled_back.at))
    pairs.append(_next(one, facts.now))
    return tuple(pairs)


def _next(one: Standing, now: datetime) -> tuple[Text, Value]:
    if one.next_at is None:
        return say("Next attempt"), say("none: certdesk waits for a person")
    if one.certificate.state is State.INSTALLED and one.certificate.held(now):
        return say("Renews by itself again from"), one.next_at
    if one.certificate.state is State.INSTALLED:
        return (say("Should renew on") if one.blocked else say("Renews by itself")), one.next_at
    return (say("Next attempt") if one.certificate.resting else say("Next step")), one.next_at


def _buttons(one: Standing, caller: Caller) -> tuple[ViewPart, ...]:
    """Return what can be done about it: nothing is offered that would do nothing."""
    certificate = one.certificate
    if not certificate.resting or not caller.changes(certificate.store):
        return ()
    if not one.well:
        # a merchant who can do nothing about it has changed nothing
        theirs = not caller.limited or any(found.owner is Owner.MERCHANT for found in one.findings)
        words = say("I have changed it, check now") if theirs else say("Check now")
        return (Buttons((Button(CHECK, certificate.id, words, "primary" if theirs else ""),)),)
    return (Buttons((Button(RENEW, certificate.id, say("Renew now")),)),)


# --- alerts -----------------------------------------------------------------------------------------------------------


def _alerts(facts: Facts, policy: Alerting) -> tuple[ViewPart, ...]:
    if not facts.alerts:
        return (Paragraph(say("There are no open alerts.")),)
    shown: list[ViewPart] = [Hint(say("Open alerts, the gravest first"))]
    for one in facts.alerts:
        told = alert_view.view(one, policy)
        shown += [Title(told.title, TONES[one.alert.severity]), *told.parts, Divider()]
    return tuple(shown[:-1])


# --- pages ------------------------------------------------------------------------------------------------------------


def _turning(facts: Facts) -> tuple[ViewPart, ...]:
    previous = (Button(TURN, PREVIOUS, say("Previous page")),) if facts.earlier else ()
    following = (Button(TURN, NEXT, say("Next page")),) if facts.more else ()
    return (Divider(), Buttons((*previous, *following))) if previous or following else ()


def begin(shown: Shown, caller: Caller) -> Shown:
    """Return what is shown to ``caller``: what was chosen, or what the role begins with; never what it may not see."""
    if shown.alerts and not caller.may(Action.ALERTS):
        shown = Shown()
    if shown.chosen:
        return shown.fitting
    if caller.role is Role.ONCALL:
        return Shown(alerts=True)
    return replace(shown.fitting, what=Portion.ALL)


def checking(certificate: Certificate) -> Text:
    """Return what is said once somebody has had certdesk look at a certificate."""
    name = views.shown(certificate.name)
    if certificate.state is State.INSTALLED:
        return say("certdesk looks at {name} now; this page shows what it finds.", name=name)
    return say("certdesk checks {name} again now; this page shows how it goes.", name=name)
