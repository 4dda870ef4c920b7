"""/ssl forecast [DAYS]: which certificates will not renew within so many days, why, and whose move it is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from commands import alert_words as words
from commands import views
from commands.caller import Action
from commands.command import Call, Command, UsageError, arguments
from commands.reply import Hint, Outcome, Part, Reply, Row, Rows, Tone
from commands.spans import margin
from services.alerting.forecast import MOST_DAYS, forecast
from services.model.alerts import Forecast, Outlook, Severity
from services.model.clock import rfc3339
from services.model.text import Forms, Text, say, say_n

USUAL_DAYS = 30


def run(call: Call) -> Outcome:
    """Say which of the caller's certificates will not renew within DAYS, by cause."""
    args = arguments(call, values=())
    if len(args.words) > 1:
        raise UsageError(say("This takes one number of days, and {count} were given.", count=len(args.words)))
    days = _days(args.words[0]) if args.words else USUAL_DAYS
    found = forecast(call.desk, days, call.caller.stores)
    now = call.desk.clock()
    reply = Reply(
        _tone(found),
        headline(found, days),
        (*rows(found, now, mine=call.caller.limited), *_next(found)),
        private=True,
    )
    return Outcome(reply, data=_to_json(found, days, now))


def _days(given: str) -> int:
    days = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
    if not 1 <= days <= MOST_DAYS:
        text = "The number of days goes from 1 to {most}, and “{given}” was given."
        raise UsageError(say(text, most=MOST_DAYS, given=views.clipped(given)))
    return days


def _tone(found: Forecast) -> Tone:
    if not found.blocked:
        return Tone.GOOD
    worst = max((row.band for row in found.rows), default=Severity.WARNING)
    return Tone.BAD if worst > Severity.WARNING else Tone.WARN


def headline(found: Forecast, days: int) -> Text:
    """Return the forecast in one sentence."""
    span = say_n("{count} day", "{count} days", count=days)
    if not found.due:
        return say("No certificate is due for renewal within {span}", span=span)
    if not found.blocked:
        text = "Nothing is in the way: certificates that will renew within {span}: {due:,}"
        return say(text, span=span, due=found.due)
    if found.due == 1:
        return say("The one certificate that is due within {span} will not renew", span=span)
    return say_n(
        "{blocked:,} of {count:,} certificate that is due within {span} will not renew",
        "{blocked:,} of {count:,} certificates that are due within {span} will not renew",
        blocked=found.blocked,
        count=found.due,
        span=span,
    )


def rows(
    found: Forecast, now: datetime, most: int = views.MOST_ROWS, *, mine: bool = False
) -> tuple[Part, ...]:
    """Return a line for each cause and owner, the most certificates first, as in a forecast or a digest.

    ``mine``: as merchants read it.
    """
    if not found.rows:
        return ()
    causes = by_cause(found.rows)
    lines = tuple(_row(cause, now, mine=mine) for cause in causes[:most])
    return (Rows(lines), *views.more(len(causes) - most))


Cause = tuple[Outlook, ...]
"""The rows of one code and owner, one for each margin, the gravest first."""


def by_cause(outlooks: Iterable[Outlook]) -> tuple[Cause, ...]:
    """Return the rows of each code and owner together, those with the most certificates first, of as many the graver."""

    def kind(row: Outlook) -> tuple[str, str]:
        return row.code, row.owner.value

    graded = sorted(outlooks, key=lambda row: (kind(row), -row.band))
    causes = [tuple(group) for _, group in groupby(graded, kind)]
    return tuple(sorted(causes, key=lambda cause: (-_count(cause), -cause[0].band)))


def _count(cause: Cause) -> int:
    return sum(row.certificates for row in cause)


def _row(cause: Cause, now: datetime, *, mine: bool) -> Row:
    count, worst = _count(cause), cause[0]
    because = say("because {why}", why=words.clause(worst.code, many=count > 1))
    dated = [row for row in cause if row.earliest is not None]
    first = min(dated, key=lambda row: row.earliest or now, default=worst)
    owner, example = views.whose(worst.owner, mine=mine), views.shown(first.example)
    if first.earliest is None:
        detail = say("whose move: {owner}; such as {example}", owner=owner, example=example)
    else:
        left = margin(first.earliest, now)
        detail = say(
            "whose move: {owner}; {margin}, first {example}", owner=owner, margin=left, example=example
        )
    if len(cause) > 1:
        detail = say("{detail}; {bands}", detail=detail, bands=_bands(cause))
    counted = say_n("{count:,} certificate", "{count:,} certificates", count=count)
    return Row(counted, words.TONES[worst.band], because, detail)


_BANDS: Mapping[Severity, Forms] = {
    Severity.CRITICAL: Forms("{count:,} critical", "{count:,} critical"),
    Severity.URGENT: Forms("{count:,} urgent", "{count:,} urgent"),
    Severity.WARNING: Forms("{count:,} with a warning", "{count:,} with a warning"),
    Severity.INFO: Forms("{count:,} with more time", "{count:,} with more time"),
}


def _bands(cause: Cause) -> Text:
    """Return how many there are of each margin, the gravest first."""
    first, *others = (_BANDS[row.band].said(count=row.certificates) for row in cause)
    for other in others:
        first = say("{some}, {others}", some=first, others=other)
    return first


def _next(found: Forecast) -> tuple[Part, ...]:
    if not found.rows:
        wait = say(
            "A forecast is of what is installed. What waits for its first certificate, you see with: {command}",
            command=views.typed("status"),
        )
        return (Hint(wait),)
    look = views.typed("status", found.rows[0].example)
    return (Hint(say("To see what to do about one of them, type: {command}", command=look)),)


def _to_json(found: Forecast, days: int, now: datetime) -> dict[str, Any]:
    return {
        "days": days,
        "until": rfc3339(found.until),
        "due": found.due,
        "blocked": found.blocked,
        "causes": [_cause_to_json(row, now) for row in found.rows],
    }


def _cause_to_json(row: Outlook, now: datetime) -> dict[str, Any]:
    return {
        "code": row.code,
        "owner": row.owner.value,
        "severity": row.band.name.lower(),
        "certificates": row.certificates,
        "earliest": rfc3339(row.earliest),
        "days_left": None if row.earliest is None else (row.earliest - now).days,
        "example": row.example,
    }


COMMAND = Command(
    name="forecast",
    action=Action.LOOK,
    summary=say("Show which certificates will not renew within so many days, and why"),
    usage="/ssl forecast [DAYS]",
    example="/ssl forecast 30",
    run=run,
)
