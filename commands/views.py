"""From what the services say to parts of a Reply: findings, states, moments and long lists in words. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from commands.reply import Fields, Hint, Paragraph, Part, Problem, Refused, Reply, Row, Tone
from services import naming
from services.model.certificates import Certificate
from services.model.findings import Finding, Owner, Verdict, worst_first
from services.model.lifecycle import RESTING, State
from services.model.status import NameStatus
from services.model.text import NOTHING, Text, Value, say, say_n

_Any = TypeVar("_Any")

MOST_PROBLEMS = 5
"""How many findings one answer shows in full."""
MOST_ROWS = 20
"""How many lines of a list one answer shows."""
UNKNOWN = say("not known yet")
MOST_TITLE = 140
"""Characters of a sentence that fit into a title; a longer one stands below it."""
MOST_CHARACTERS = 80
"""How much of a name, or of what was given for one, a title shows."""

OWNERS: Mapping[Owner, Text] = {
    Owner.MERCHANT: say("the merchant"),
    Owner.PLATFORM: say("the platform"),
    Owner.CA: say("the certificate authority"),
}
"""Whose move it is."""
YOURS = say("yours")
"""The same where it is the reader's own."""


def whose(owner: Owner, *, mine: bool) -> Text:
    """Return whose move it is; ``mine``: for a merchant, who reads that theirs is their own."""
    return YOURS if mine and owner is Owner.MERCHANT else OWNERS[owner]


def yours(parts: Iterable[_Any]) -> tuple[_Any, ...]:
    """Return the parts as a merchant reads them: what is the merchant's move is their own."""
    merchant = OWNERS[Owner.MERCHANT]
    return tuple(
        replace(part, owner=YOURS) if isinstance(part, Problem) and part.owner == merchant else part
        for part in parts
    )


TONES: Mapping[str, Tone] = {
    "none": Tone.INFO,
    State.INSTALLED: Tone.GOOD,
    State.BLOCKED: Tone.WARN,
    State.FAILED: Tone.BAD,
    State.NEEDS_SUPPORT: Tone.BAD,
    State.RETIRED: Tone.INFO,
}
"""The tone of a state; one that is not here is under way."""


def tone_of(state: str) -> Tone:
    """Return how a state feels at a glance."""
    return TONES.get(state, Tone.PROGRESS)


def status_tone(status: NameStatus) -> Tone:
    """Return how a name's status feels: that of its state, and a warning where something blocks."""
    tone = tone_of(status.state)
    return Tone.WARN if status.blocked and tone in {Tone.INFO, Tone.GOOD} else tone


def problem(finding: Finding) -> Problem:
    """Return ``finding`` as a part of a reply."""
    return Problem(finding.code, finding.summary, finding.remedy, OWNERS[finding.owner], finding.blocks)


def problems(findings: Iterable[Finding], most: int = MOST_PROBLEMS) -> tuple[Part, ...]:
    """Return the findings that are not ok, worst first, and a line that counts those beyond ``most``."""
    shown = tuple(f for f in worst_first(tuple(findings)) if f.verdict is not Verdict.OK)
    return tuple(problem(finding) for finding in shown[:most]) + more(len(shown) - most)


def more(count: int) -> tuple[Part, ...]:
    """Return the line that says how many are not shown; nothing if ``count`` is not positive."""
    return (
        (Hint(say_n("{count:,} more is not shown here.", "{count:,} more are not shown here.", count=count)),)
        if count > 0
        else ()
    )


def shown(name: str) -> str:
    """Return the name as people write it (한국.test), but in its exact form if it mixes scripts; never over 80 characters."""
    text = name if naming.mixed_scripts(name) else naming.display(name)
    return clipped(text)


def clipped(text: str) -> str:
    """Return ``text``, cut off behind 80 characters."""
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def shortened(names: Sequence[str], most: int = 3) -> str:
    """Return the names in one line, the first ``most`` of them and the number of the others."""
    listed = ", ".join(shown(name) for name in names[:most])
    return f"{listed} (+{len(names) - most})" if len(names) > most else listed


def known(value: datetime | str | None) -> Value:
    """Return a moment or a text as a value for a gap; a word where there is none."""
    return UNKNOWN if value is None else value


def row(status: NameStatus) -> Row:
    """Return the line of a list for one name: its state and, behind it, what matters most of it."""
    return Row(shown(status.name), status_tone(status), status.label, detail(status))


def detail(status: NameStatus) -> Text:
    """Return what matters most of a name: what blocks it, else the next attempt, else how long its certificate is valid."""
    blocking = next((finding for finding in status.findings if finding.blocks), None)
    if blocking is not None:
        return blocking.summary
    if status.next_attempt_at is not None and status.state in RESTING - {State.INSTALLED}:
        return say("next attempt {at}", at=status.next_attempt_at)
    return NOTHING if status.not_after is None else say("valid until {not_after}", not_after=status.not_after)


def installed_fields(certificate: Certificate, names: Sequence[str]) -> Fields:
    """Return what is installed: names, serial number, expiry and the moment of the next renewal."""
    return Fields(
        (
            (say("Names"), shortened(names, 5)),
            (say("Serial number"), known(certificate.serial)),
            (say("Valid until"), known(certificate.not_after)),
            (say("Renews by itself"), known(certificate.renew_at)),
        )
    )


def leaves(names: Sequence[str], renew_at: datetime | None, not_after: datetime) -> Text:
    """Return how long what is installed keeps names that were removed from its certificate; ``renew_at`` None: to its end."""
    listed = shortened(names)
    if renew_at is not None:
        return say(
            "What is installed keeps {names} until the next renewal, at {at}.", names=listed, at=renew_at
        )
    return say(
        "What is installed keeps {names} until it expires at {not_after}; visitors then see a warning.",
        names=listed,
        not_after=not_after,
    )


def refusals(names: Sequence[Refused]) -> tuple[Part, ...]:
    """Return why names were not taken, and how many more there are."""
    return tuple(one.problem for one in names[:MOST_PROBLEMS]) + more(len(names) - MOST_PROBLEMS)


def typed(*words: str) -> str:
    """Return the command as it is typed."""
    return " ".join(("/ssl", *words))


def stated(tone: Tone, text: Text, heading: Text, *more: Part) -> Reply:
    """Return a reply that is one sentence, and ``more`` below; a long sentence stands below the title ``heading``."""
    if len(text.plain()) <= MOST_TITLE:
        return Reply(tone, text, more)
    return Reply(tone, heading, (Paragraph(text), *more))
