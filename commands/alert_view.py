"""An alert as people see it: what is broken, what was found, whose move it is, how long there is, what to click. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commands import alert_words as words
from commands import views
from commands.alert_buttons import Size, acknowledged, buttons, snoozed
from commands.persons import person
from commands.reply import Fields, Hint, Mention, Paragraph, Part, Reply, Row, Rows, Tone
from commands.spans import margin, span
from services.alerting.causes import OWN_HEALTH
from services.model.alerts import Alert, Severity, Sighting, Tally
from services.model.settings import Alerting
from services.model.text import Forms, Phrase, Text, Value, say

MOST_ITEMS = 6
"""How many items of a list of evidence a message shows."""
FIRST_MEMBERS = 3
"""How many members of a group its message names."""
_EVIDENCE: tuple[tuple[str, Text], ...] = (
    ("found", say("Found now")),
    ("wrong", say("Wrong")),
    ("foreign", say("Not the platform's")),
    ("required", say("Required")),
)
"""What a finding's evidence shows of the answer and of what it should be."""


@dataclass(frozen=True, slots=True)
class Facts:
    """An alert with what the database says of its members at this moment."""

    alert: Alert
    tally: Tally
    members: tuple[Sighting, ...]
    """The first of them, by deadline."""
    now: datetime
    alone: int
    """So many certificates one person may renew without another one's yes."""

    @property
    def count(self) -> int:
        """Certificates that are members; 1 at least, for what an alert speaks of."""
        return max(self.tally.certificates, 1)

    @property
    def name(self) -> str:
        """The name that stands for the alert: of the first member, else of what was found."""
        if self.members:
            return self.members[0].name
        return self.alert.lead.name if self.alert.lead else self.alert.thing

    @property
    def own(self) -> bool:
        """Whether certdesk speaks of itself."""
        return self.alert.code in OWN_HEALTH


def view(facts: Facts, policy: Alerting, *, first_post: bool = False) -> Reply:
    """Return the alert's message as things stand; the ``first_post`` of an urgent one calls on people."""
    if not facts.alert.open:
        return healed(facts)
    calls = mention(facts, policy) if first_post else ()
    parts = (*calls, *found(facts), Fields(_fields(facts)), *_first_members(facts), *_state(facts))
    return Reply(words.TONES[facts.alert.severity], title(facts), (*parts, *_buttons(facts)))


def title(facts: Facts) -> Text:
    """Return what is broken, and how grave it is, as one sentence."""
    alert = facts.alert
    why = words.clause(alert.code, alert.thing, many=facts.count > 1, wide=alert.wide)
    grave = words.SEVERITIES[alert.severity]
    if facts.own:
        return say("{severity}: {why}", severity=grave, why=why)
    return say("{severity}: {effect}: {why}", severity=grave, effect=_effect(facts), why=why)


_EFFECTS: Mapping[str, tuple[Phrase, Forms, Forms]] = {
    # of one, of several of one store, of several stores
    "blocked": (
        Phrase("{name} cannot renew"),
        Forms("{count:,} certificate cannot renew", "{count:,} certificates cannot renew"),
        Forms(
            "{count:,} certificate of {stores:,} stores cannot renew",
            "{count:,} certificates of {stores:,} stores cannot renew",
        ),
    ),
    "expired": (
        Phrase("{name} has expired and cannot renew"),
        Forms(
            "{count:,} certificate cannot renew, and it has expired",
            "{count:,} certificates cannot renew, and some have expired",
        ),
        Forms(
            "{count:,} certificate of {stores:,} stores cannot renew, and it has expired",
            "{count:,} certificates of {stores:,} stores cannot renew, and some have expired",
        ),
    ),
    "nothing installed": (
        Phrase("{name} cannot get its certificate"),
        Forms("{count:,} certificate cannot be issued", "{count:,} certificates cannot be issued"),
        Forms(
            "{count:,} certificate of {stores:,} stores cannot be issued",
            "{count:,} certificates of {stores:,} stores cannot be issued",
        ),
    ),
    "warned": (
        Phrase("{name}"),
        Forms("{count:,} certificate", "{count:,} certificates"),
        Forms("{count:,} certificate of {stores:,} stores", "{count:,} certificates of {stores:,} stores"),
    ),
}


def _effect(facts: Facts) -> Text:
    """Return who suffers, and from what."""
    of_one, of_several, of_stores = _EFFECTS[_harm(facts)]
    if facts.count == 1:
        return of_one.said(name=views.shown(facts.name))
    if facts.tally.stores < 2:
        return of_several.said(count=facts.count)
    return of_stores.said(count=facts.count, stores=facts.tally.stores)


_AFTERWARDS = ("deploy.", "certificate.")
"""Codes of what is wrong with something that was issued."""


def _harm(facts: Facts) -> str:
    earliest = facts.tally.earliest
    if not facts.tally.blocked or facts.alert.code.startswith(_AFTERWARDS):
        return "warned"  # what is not deployed, not served or revoked has been issued
    if earliest is None:
        return "nothing installed"
    certificates = not facts.alert.code.startswith("domain.expir")  # those deadlines are the registration's
    return "expired" if certificates and earliest <= facts.now else "blocked"


def mention(facts: Facts, policy: Alerting) -> tuple[Part, ...]:
    """Return the call on people: on-call for what is urgent, managers as well for what is critical; else nothing."""
    alert = facts.alert
    groups = tuple(group for least, group in _groups(policy) if group and alert.severity >= least)
    if not groups or acknowledged(alert):
        return ()
    text = say("{severity}: please look at this.", severity=words.SEVERITIES[alert.severity])
    return (Mention(groups, text),)


def _groups(policy: Alerting) -> tuple[tuple[Severity, str], ...]:
    return (Severity.URGENT, policy.oncall_group), (Severity.CRITICAL, policy.manager_group)


def found(facts: Facts) -> tuple[Part, ...]:
    """Return what was found, whose move it is and the fix; of the certificate that expires first if there are several."""
    lead = facts.alert.lead
    if lead is None:
        return ()
    example = Paragraph(say("For example, this was found at {name}:", name=views.shown(lead.name)))
    return (*((example,) if facts.count > 1 else ()), views.problem(lead))


def _fields(facts: Facts) -> tuple[tuple[Text, Value], ...]:
    alert, tally = facts.alert, facts.tally
    pairs: list[tuple[Text, Value]] = [(say("Since"), alert.opened_at), *_evidence(facts)]
    if tally.earliest is not None and not alert.code.startswith("certificate."):
        pairs.append((say("Margin"), _margin(facts, tally.earliest)))
    if facts.count > 1:
        of = "{count:,}, of {stores:,} stores" if tally.stores > 1 else "{count:,}, of one store"
        counted = say(of, count=facts.count, stores=tally.stores)
        pairs.append((say("Certificates"), counted))
    if not facts.own:
        pairs.append((say("Failed attempts in a row"), alert.failures))
        never = say("none: certdesk waits for a person")
        pairs.append((say("Next try or look by itself"), alert.next_attempt or never))
    return tuple(pairs)


def _margin(facts: Facts, earliest: datetime) -> Text:
    left = margin(earliest, facts.now)
    if facts.count > 1:
        return say("{margin} for the first of them: {at}", margin=left, at=earliest)
    return say("{margin}: {at}", margin=left, at=earliest)


def _evidence(facts: Facts) -> tuple[tuple[Text, Value], ...]:
    """Return the answer that was found beside the one that is required, as far as the finding has them."""
    evidence: Mapping[str, Any] = facts.alert.lead.evidence if facts.alert.lead else {}
    shown = {key: _items(evidence[key]) for key, _ in _EVIDENCE if evidence.get(key) not in (None, "")}
    said = {
        key: items
        for key, items in shown.items()
        if key == "found" or (items and items != shown.get("found"))  # nothing found is an answer, too
    }
    return tuple((label, said[key]) for key, label in _EVIDENCE if key in said)


def _items(value: Any) -> tuple[str, ...]:
    """Return evidence as a list of texts, the first few of them."""
    if isinstance(value, Mapping):
        items = [f"{key}: {_joined(item)}" for key, item in value.items()]
    elif isinstance(value, list | tuple):
        items = [_joined(item) for item in value]
    else:
        items = [str(value)]
    beyond = len(items) - MOST_ITEMS
    return (*items[:MOST_ITEMS], *((f"+{beyond}",) if beyond > 0 else ()))


def _joined(item: Any) -> str:
    """Return one item in one line: of a mapping its values, of a list its members."""
    values = (
        item.values() if isinstance(item, Mapping) else item if isinstance(item, list | tuple) else [item]
    )
    return " ".join(str(value) for value in values if value not in (None, ""))


def _first_members(facts: Facts) -> tuple[Part, ...]:
    if facts.count < 2 or not facts.members:
        return ()
    rows = tuple(member_row(member, facts.now) for member in facts.members[:FIRST_MEMBERS])
    return (Rows(rows),)


def member_row(member: Sighting, now: datetime) -> Row:
    """Return the line of one certificate that suffers: its name, its store and how long there is."""
    tone = Tone.WARN if member.blocks else Tone.INFO
    label = say("store {store}", store=member.store)
    if member.deadline is None:
        return Row(views.shown(member.name), tone, label, say("nothing is installed yet"))
    tone = Tone.BAD if member.blocks and member.deadline <= now else tone
    left = say("{margin}: {at}", margin=margin(member.deadline, now), at=member.deadline)
    return Row(views.shown(member.name), tone, label, left)


def _state(facts: Facts) -> tuple[Part, ...]:
    """Return what people have made of it: who acknowledged it, until when it is quiet, who handed it over."""
    alert = facts.alert
    lines: list[Text] = []
    if acknowledged(alert):
        text = "Acknowledged by {person} at {at}: quiet until it gets graver."
        lines.append(say(text, person=person(alert.acked_by), at=views.known(alert.acked_at)))
    if snoozed(alert, facts.now):
        text = "Snoozed by {person} until {until}, or until it gets graver."
        until = views.known(alert.snoozed_until)
        lines.append(say(text, person=person(alert.snoozed_by), until=until))
    if alert.handed_to:
        lines.append(say("Handed to support by {person}.", person=person(alert.handed_to)))
    return tuple(Hint(line) for line in lines)


def _buttons(facts: Facts) -> tuple[Part, ...]:
    size = Size(facts.count, facts.tally.blocked, facts.alone)
    return buttons(facts.alert, facts.now, size, own=facts.own)


def healed(facts: Facts) -> Reply:
    """Return the message of an alert that is over: what it was, how long it lasted, and that nothing is left to do."""
    alert = facts.alert
    lasted = span((alert.healed_at or facts.now) - alert.opened_at)
    what = words.noun(alert.code, alert.thing, wide=alert.wide)
    headline = say(
        "Healed: what was wrong with {what} is gone, after {span}; nothing to do", what=what, span=lasted
    )
    was = words.clause(alert.code, alert.thing, many=alert.most > 1, wide=alert.wide)
    pairs: tuple[tuple[Text, Value], ...] = (
        (say("What it was"), was),
        (say("From"), alert.opened_at),
        (say("Until"), views.known(alert.healed_at)),
    )
    if not facts.own:
        pairs += ((say("Certificates, at the most"), say("{count:,}", count=max(alert.most, 1))),)
    return Reply(Tone.GOOD, headline, (Fields(pairs),))
