"""What a CA's recall means for one certificate and for the fleet: pure rules over windows, expiries, budgets and the clock."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from services.model.certificates import Certificate
from services.model.jobs import Counts, Job, JobState, ends_at
from services.model.recalls import Recall
from services.renewal.timing import backstop

RECENT = timedelta(days=1)
"""Recalls within this time count together; CAs revoke what they have to revoke within a day, or five."""
STRAY = timedelta(minutes=10)
"""When one looks again that waits for a plan and is not in it yet."""
RESERVE = 5
"""One part in so many of a CA's orders is left to what else is issued while a plan goes on."""
TRAFFIC = "traffic:"
"""What a tag begins with that says how many visits a store has a day."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES = 2**31
"""More minutes than any expiry is away from 1970."""


class Turn(StrEnum):
    """What becomes of an installed certificate whose moment of renewal has come."""

    ORDINARY = "ordinary"
    """It is no recall, or its own time has come anyway: it is renewed as ever."""
    AT_ONCE = "at_once"
    """It is recalled, and few are: it is renewed at once."""
    PLANNED = "planned"
    """It is recalled, and many are: the plan begins it when it is its turn."""
    LEFT = "left"
    """A person has cancelled the plan, or it was replaced for a recall just now: it waits for its own time."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides about one certificate."""

    certificate: Certificate
    now: datetime
    many: int
    """So many recalls of one CA become a plan."""
    noted: Recall | None
    """The recall of what is installed, if it was noted before."""
    earlier: datetime | None
    """When a revision of this certificate before the installed one was recalled last."""
    others: int
    """Other certificates of the CA that were recalled within `RECENT` and are in no plan."""
    plan: Job | None
    """The plan that has the recall; for one that is in none, the CA's newest."""


def recalled(certificate: Certificate, now: datetime) -> bool:
    """Tell whether the CA wants it replaced before its time: the window is past, and its own time has not come yet."""
    window = certificate.window
    if window is None or certificate.not_before is None or certificate.not_after is None:
        return False
    return window.end <= now < backstop(certificate.not_before, certificate.not_after)


def turn(facts: Facts) -> tuple[Turn, datetime]:
    """Return what becomes of the certificate, and when it is looked at again if it is not renewed now."""
    one, now, noted, plan = facts.certificate, facts.now, facts.noted, facts.plan
    if not recalled(one, now) or one.not_before is None or one.not_after is None:
        return Turn.ORDINARY, now
    own_time = backstop(one.not_before, one.not_after)
    rest = min(max(one.ari_after or own_time, now + STRAY), own_time)
    if noted is not None and not noted.planned:
        return Turn.AT_ONCE, now
    if plan is not None and plan.state is JobState.CANCELLED and _counts(plan, noted, now):
        return Turn.LEFT, rest
    if noted is None:
        return _new(facts, own_time)
    if noted.job and (plan is None or plan.over):  # the plan has ended without it
        return Turn.AT_ONCE, now
    return Turn.PLANNED, rest if noted.job else min(now + STRAY, own_time)


def _new(facts: Facts, own_time: datetime) -> tuple[Turn, datetime]:
    """Return what becomes of a recall that was not noted before."""
    now, plan = facts.now, facts.plan
    if facts.others + 1 < facts.many and (plan is None or plan.over):
        return Turn.AT_ONCE, now
    if facts.earlier is not None and now < facts.earlier + RECENT:
        return Turn.LEFT, min(facts.earlier + RECENT, own_time)
    return Turn.PLANNED, min(now + STRAY, own_time)


def _counts(plan: Job, noted: Recall | None, now: datetime) -> bool:
    """Tell whether a cancelled plan is about this recall: it is in it, or has come up within a day of the cancelling."""
    if noted is not None and noted.job:
        return noted.job == plan.id
    return plan.since is not None and now < plan.since + RECENT


def traffic(tags: Collection[str]) -> int:
    """Return how many visits a day a store's tag ``traffic:N`` says that it has; 0 if it has none, or no number."""
    said = [tag.removeprefix(TRAFFIC) for tag in tags if tag.startswith(TRAFFIC)]
    return max((int(number) for number in said if number.isascii() and number.isdigit()), default=0)


def place(visits: int, not_after: datetime) -> int:
    """Return a recall's place in the plan's order, small first: the busiest first, then what expires first.

    ``visits`` a day: 0 if nobody knows. Stores of about the same traffic (the same power of two) are as busy as one another.
    """
    busy = min(max(visits, 0).bit_length(), 31)
    minutes = int((not_after - _EPOCH) / timedelta(minutes=1))
    return (31 - busy) * _MINUTES + min(max(minutes, 0), _MINUTES - 1)


@dataclass(frozen=True, slots=True)
class Purse:
    """What one CA's limit of orders leaves now."""

    left: int
    """Orders that may be placed now."""
    count: int
    """Orders that the full limit has."""
    cost: timedelta
    """How long one takes to grow again."""
    held: datetime | None = None
    """Until when the CA itself has said that it takes none."""

    def spare(self, now: datetime) -> int:
        """Return how many a plan may take: what is left above the reserve."""
        if self.held is not None and self.held > now:
            return 0
        return max(0, self.left - self.reserve)

    @property
    def reserve(self) -> int:
        """Orders that are left to what else is issued."""
        return -(-self.count // RESERVE)

    def more_at(self, now: datetime) -> datetime:
        """Return when there is one to spare."""
        missing = max(0, self.reserve + 1 - self.left)
        return max(now + self.cost * missing, self.held or now)


def room(
    width: int, at_work: int, purses: Sequence[Purse] | None, now: datetime
) -> tuple[int, datetime | None]:
    """Return how many more may be begun, and until when the limits leave none (None: they do leave some).

    ``purses``: those of the CAs in order; None if one of them counts nothing. What is at work may have its order before it.
    """
    free = max(0, width - at_work)
    if purses is None:
        return free, None
    spare = sum(purse.spare(now) for purse in purses)
    if not spare:
        return 0, min((purse.more_at(now) for purse in purses), default=None)
    return min(free, max(0, spare - at_work)), None


def expected_end(
    job: Job, counts: Counts, width: int, purses: Sequence[Purse] | None, typical: timedelta, now: datetime
) -> datetime | None:
    """Return about when the plan ends; None while it stands still.

    The later one of what its pace so far says (before there is one: ``typical`` for each at work), and of what the limits
    let through.
    """
    if job.state is not JobState.RUNNING:
        return None
    paced = ends_at(job, counts, now) or now + typical * max(1, -(-counts.left // width))
    if purses is None:
        return paced
    over = max(0, counts.waiting - sum(purse.spare(now) for purse in purses))
    speed = sum(timedelta(hours=1) / purse.cost for purse in purses)
    return max(paced, now + timedelta(hours=over / speed)) if speed else paced
