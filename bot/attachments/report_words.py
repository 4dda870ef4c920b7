"""The words in and around the report's picture."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from commands.alert_words import clause
from services.model.fleet import Health, Result
from services.model.text import Text, say

TITLE = say("Certificates: ends, renewals and blockers")
FIGURES = say("Figures of the report")
ENDS = say("Certificates by the week in which they end")
RESULTS = say("How attempts ended, by week")
BLOCKERS = say("What is in the way, by certificates")
NO_BLOCKERS = say("Nothing is in the way.")
OTHERS = say("all other causes")
EXPIRED, LATER = say("expired"), say("later")
HEALTH: Mapping[Health, Text] = {
    Health.NEEDS_SOMEBODY: say("somebody has to act"),
    Health.UNDER_WAY: say("under way"),
    Health.WELL: say("all well"),
}
RESULT: Mapping[Result, Text] = {
    Result.INSTALLED: say("issued or renewed"),
    Result.FAILED: say("failed"),
}


def counted(name: Text, count: int) -> Text:
    """Return a name of the legend with how many there are."""
    return say("{name}: {count:,}", name=name, count=count)


def as_of(moment: datetime) -> Text:
    """Return the line below the title."""
    return say(
        "As of {moment}. A week begins at the moment that stands below it, and lasts seven days.",
        moment=moment,
    )


def alt(facts: Mapping[str, Any]) -> Text:
    """Return what the picture shows, for those who do not see it."""
    weeks = facts["weeks"]
    return say(
        "Three bar charts. Ends of certificates in each of the coming weeks: {ends}; expired: {expired:,}; later:"
        " {later:,}. Attempts in each of the past weeks, issued or renewed: {installed}; failed: {failed}."
        " Certificates in whose way something is, by cause: {blockers}.",
        ends=tuple(str(sum(_counts(week).values())) for week in weeks),
        expired=sum(facts["expired"].values()),
        later=sum(facts["later"].values()),
        installed=tuple(str(week[Result.INSTALLED.value]) for week in facts["past"]),
        failed=tuple(str(week[Result.FAILED.value]) for week in facts["past"]),
        blockers=tuple(
            counted(clause(str(one["code"])), int(one["certificates"])) for one in facts["blockers"][:10]
        ),
    )


def _counts(week: Mapping[str, Any]) -> dict[str, int]:
    return {health.value: int(week[health.value]) for health in Health}
