"""/ssl report: the state of the fleet as a picture, with the same in words, and as SVG or CSV for those who go on with it."""

from typing import Any

from commands import forecast
from commands.attachment import Attachment
from commands.caller import Action
from commands.command import Call, Command, UsageError, arguments
from commands.forecast import by_cause
from commands.reply import Outcome, Paragraph, Part, Reply, Tone
from services.model.clock import rfc3339
from services.model.fleet import WEEK, Health, Result
from services.model.text import Text, say, say_n
from services.reporting import WEEKS, Report, report

PNG, SVG, CSV = "report.png", "report.svg", "report.csv"
"""The kinds of its attachments (`bot.attachments`)."""
_FLAGS = {"--png": PNG, "--svg": SVG, "--csv": CSV}


def run(call: Call) -> Outcome:
    """Answer with the report of the stores that the caller may see, or of one of them."""
    args = arguments(call, flags=tuple(_FLAGS))
    if args.words:
        raise UsageError(say("This takes no names. For one store: {option}", option="--store STORE"))
    stores = call.caller.stores
    if args.store is not None:  # a store of somebody else is as empty as one that there is not
        stores = frozenset({args.store} if call.caller.sees(args.store) else ())
    found = report(call.desk, stores)
    facts = to_json(found)
    kinds = [kind for flag, kind in _FLAGS.items() if flag in args.flags] or [PNG]
    attached = tuple(Attachment(kind, facts) for kind in kinds) if found.ends or found.results else ()
    reply = Reply(_tone(found), headline(found), (*_words(found), *attached), private=call.caller.limited)
    return Outcome(reply, data=facts, staff_only=stores is None)


def headline(found: Report) -> Text:
    """Return how the certificates stand, in one sentence: what is foreseen counts where it is more than what is stuck."""
    count = found.ending()
    if not count:
        return say("There are no certificates to report of yet")
    troubled = found.ending(Health.NEEDS_SOMEBODY)
    if found.ahead.blocked > troubled:
        return say_n(
            "{count:,} certificate, and as things stand {blocked:,} will not renew",
            "{count:,} certificates, and as things stand {blocked:,} will not renew",
            count=count,
            blocked=found.ahead.blocked,
        )
    if not troubled:
        return say_n(
            "{count:,} certificate, and nobody has to do anything",
            "{count:,} certificates, and nobody has to do anything",
            count=count,
        )
    return say_n(
        "{count:,} certificate, and somebody has to act for {troubled:,}",
        "{count:,} certificates, and somebody has to act for {troubled:,}",
        count=count,
        troubled=troubled,
    )


def _tone(found: Report) -> Tone:
    if found.ending(weeks=(-1,)):
        return Tone.BAD
    return Tone.WARN if found.ending(Health.NEEDS_SOMEBODY) or found.ahead.blocked else Tone.GOOD


def _words(found: Report) -> tuple[Part, ...]:
    if not found.ends and not found.results:
        return ()
    return (
        Paragraph(
            say(
                "Expired: {expired:,}. They end within 7 days: {soon:,}; in {weeks} weeks: {all:,}; later: {later:,}.",
                expired=found.ending(weeks=(-1,)),
                soon=found.ending(weeks=(0,)),
                weeks=WEEKS,
                all=found.ending(weeks=range(WEEKS)),
                later=found.ending(weeks=(WEEKS,)),
            )
        ),
        Paragraph(
            say(
                "In the last {weeks} weeks: issued or renewed {installed:,}, failed attempts {failed:,}.",
                weeks=WEEKS,
                installed=found.ended(Result.INSTALLED),
                failed=found.ended(Result.FAILED),
            )
        ),
        *([Paragraph(forecast.headline(found.ahead, WEEKS * WEEK.days))] if found.ahead.due else []),
        *forecast.rows(found.ahead, found.at),
    )


def to_json(found: Report) -> dict[str, Any]:
    """Return the report's figures; the weeks as the moments with which they begin, each with a count of every kind."""
    return {
        "at": rfc3339(found.at),
        "expired": _by_health(found, -1),
        "weeks": [
            {"begins": rfc3339(found.at + week * WEEK)} | _by_health(found, week) for week in range(WEEKS)
        ],
        "later": _by_health(found, WEEKS),
        "past": [
            {"begins": rfc3339(found.since + week * WEEK)} | _by_result(found, week) for week in range(WEEKS)
        ],
        "blockers": [
            {
                "code": cause[0].code,
                "owner": cause[0].owner.value,
                "certificates": sum(row.certificates for row in cause),
            }
            for cause in by_cause(found.ahead.rows)
        ],
    }


def _by_health(found: Report, week: int) -> dict[str, int]:
    return {health.value: found.ending(health, (week,)) for health in Health}


def _by_result(found: Report, week: int) -> dict[str, int]:
    counts = {one.what: one.count for one in found.results if one.week == week}
    return {result.value: counts.get(result.value, 0) for result in Result}


COMMAND = Command(
    name="report",
    action=Action.LOOK,
    summary=say("Show when certificates end, how renewals went and what is in the way, as a picture"),
    usage="/ssl report [--store STORE] [--png] [--svg] [--csv]",
    example="/ssl report --csv",
    run=run,
)
