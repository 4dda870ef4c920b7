"""/ssl forecast [DAYS]: which certificates will not renew within so many days, why, and whose move it is."""

from datetime import datetime
from typing import Any

from commands import alert_words as words
from commands import views
from commands.caller import Action
from commands.command import Call, Command, UsageError, arguments
from commands.reply import Hint, Outcome, Part, Reply, Row, Rows, Tone
from commands.spans import margin, number
from services.alerting.forecast import MOST_DAYS, forecast
from services.model.alerts import Forecast, Outlook, Severity
from services.model.clock import rfc3339
from services.model.text import Text, say

USUAL_DAYS = 30


def run(call: Call) -> Outcome:
    """Say which of the caller's certificates will not renew within DAYS, by cause."""
    args = arguments(call, values=())
    if len(args.words) > 1:
        raise UsageError(say("This takes one number of days, and {count} were given.", count=len(args.words)))
    days = _days(args.words[0]) if args.words else USUAL_DAYS
    found = forecast(call.desk, days, call.caller.stores)
    now = call.desk.clock()
    reply = Reply(_tone(found), headline(found, days), (*rows(found, now), *_next(found)), private=True)
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
    if not found.due:
        return say("No certificate is due for renewal within {days} days", days=days)
    if not found.blocked:
        text = "Nothing is in the way: certificates that will renew within {days} days: {due}"
        return say(text, days=days, due=number(found.due))
    text = "{blocked} of {due} certificates will not renew within {days} days"
    return say(text, blocked=number(found.blocked), due=number(found.due), days=days)


def rows(found: Forecast, now: datetime, most: int = views.MOST_ROWS) -> tuple[Part, ...]:
    """Return a line for each cause, owner and band, the most certificates first, as in a forecast or a digest."""
    if not found.rows:
        return ()
    lines = tuple(_row(row, now) for row in found.rows[:most])
    return (Rows(lines), *views.more(len(found.rows) - most))


def _row(row: Outlook, now: datetime) -> Row:
    because = say("because {why}", why=words.clause(row.code, many=row.certificates > 1))
    if row.earliest is None:
        text = "whose move: {owner}; such as {example}"
        detail = say(text, owner=views.OWNERS[row.owner], example=views.shown(row.example))
    else:
        text = "whose move: {owner}; {margin}, first {example}"
        left = margin(row.earliest, now)
        detail = say(text, owner=views.OWNERS[row.owner], margin=left, example=views.shown(row.example))
    return Row(number(row.certificates), words.TONES[row.band], because, detail)


def _next(found: Forecast) -> tuple[Part, ...]:
    if not found.rows:
        return ()
    look = views.typed("status", found.rows[0].example)
    return (Hint(say("What to do about one of them, you see with: {command}", command=look)),)


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
