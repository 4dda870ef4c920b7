"""The dead man's switch: from a few facts about certdesk itself to what is in order and what is not. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.model.findings import CODES, Finding, Verdict
from services.model.text import NOTHING, Text, say, say_n

STEP_LATE = timedelta(hours=1)
"""How long a certificate's next step may be due before it counts as untouched."""
WORKER_SILENT = timedelta(minutes=2)
"""A worker gives a sign of life every few seconds."""
UNDELIVERED = timedelta(minutes=10)
"""How long a message may be due, or deliveries may fail one after another, before the outbox counts as blocked."""
DEAF = timedelta(minutes=5)
"""How long nothing may arrive by Socket Mode; a connection is renewed within seconds, a canary answers within one."""
CLOCK = timedelta(seconds=60)
"""How far two clocks may be apart: leases last about as long, and signatures of Slack's five times that."""
SHORTEST_PERIOD = timedelta(minutes=5)
"""What counts as the period of a watch that is set to a shorter one: looks take their time."""


@dataclass(frozen=True, slots=True)
class Queue:
    """How messages of one kind leave."""

    oldest: datetime | None = None
    """Since when the message that waits longest has been due; None if none is due."""
    struggling: int = 0
    """Messages that have failed at least once."""
    struggling_since: datetime | None = None
    """Since when there have been such messages without a break; None if there are none."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A token that is not taken."""

    reason: str
    """In the words of who refuses it, such as invalid_auth."""
    since: datetime
    """Since when that is known."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at one moment."""

    now: datetime
    watch_due: datetime | None = None
    """When the first certificate is or was to be watched; None without certificates."""
    watch_every: timedelta = timedelta(days=1)
    step_due: datetime | None = None
    """When the next step of any certificate that nobody holds is or was due; None if none is planned."""
    last_heartbeat: datetime | None = None
    """The last sign of life of any worker."""
    queues: Mapping[str, Queue] = field(default_factory=dict)
    """For each way that is connected: ``slack`` and ``webhook``."""
    socket_mode: bool = False
    """Whether Slack's events come by Socket Mode, so that certdesk can tell whether they can come."""
    deaf_since: datetime | None = None
    """Since when nothing arrives by Socket Mode; None if all seems well."""
    token: Refused | None = None
    """Slack's refusal of our token; None if it takes it, or could not be asked."""
    clocks: Mapping[str, timedelta] = field(default_factory=dict)
    """How far other clocks are ahead of this machine's (negative: behind), by whose they are."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    thing: str
    """What was looked at, in a word or two; with the code it names the cause."""
    code: str
    text: Text
    """What was found, in a sentence."""
    remedy: Text = NOTHING
    """What to do; nothing if it is in order."""
    since: datetime | None = None
    """Since when it is not in order, as far as that can be told."""

    @property
    def ok(self) -> bool:
        """Whether it is in order."""
        return self.remedy == NOTHING


def checks(facts: Facts) -> tuple[Check, ...]:
    """Return everything that was looked at, in a fixed order."""
    socket = (_socket(facts),) if facts.socket_mode else ()
    queues = (_queue(via, queue, facts.now) for via, queue in facts.queues.items())
    token = (_token(facts.token),) if "slack" in facts.queues else ()
    return (_workers(facts), _steps(facts), _watch(facts), *queues, *token, *socket, *_clocks(facts))


def findings(looked: Sequence[Check], now: datetime) -> tuple[Finding, ...]:
    """Return a finding for each thing that is not in order; ``evidence["thing"]`` tells those of one code apart."""
    return tuple(
        Finding(
            code=check.code,
            verdict=Verdict.BLOCK,
            name="certdesk",
            owner=CODES[check.code].owner,
            summary=check.text,
            remedy=check.remedy,
            checked_at=now,
            evidence={"thing": check.thing},
        )
        for check in looked
        if not check.ok
    )


def queue_key(via: str) -> str:
    """Return the key of the cause that messages of ``via`` do not leave, by which sightings tell since when."""
    return f"certdesk.undelivered {_queue_thing(via)}"


SOCKET_KEY = "certdesk.deaf Socket Mode"
"""The key of the cause that nothing arrives by Socket Mode."""


def _queue_thing(via: str) -> str:
    return f"messages to {_WAYS[via]}"


def _workers(facts: Facts) -> Check:
    beat = facts.last_heartbeat
    if beat is not None and facts.now - beat <= WORKER_SILENT:
        return Check("workers", "certdesk.stalled", say("Workers run."))
    said = (
        say("No worker has run with this database yet.")
        if beat is None
        else say("No worker has given a sign of life since {when}.", when=beat)
    )
    remedy = say(
        "On-call: start “certdesk run” or “certdesk work”, and read in its log why it ended; certificates that are due"
        " go on by themselves."
    )
    return Check("workers", "certdesk.stalled", said, remedy, beat)


def _steps(facts: Facts) -> Check:
    due = facts.step_due
    if due is None or facts.now - due <= STEP_LATE:
        return Check("certificates", "certdesk.stalled", say("Certificates are worked on when they are due."))
    return Check(
        "certificates",
        "certdesk.stalled",
        say("A certificate has been due since {when}, and no worker has taken it up.", when=due),
        say(
            "On-call: read in the log what the workers wait for. If they are busy, start another “certdesk work” or"
            " raise renewal.workers; what is due is done by itself then."
        ),
        due,
    )


def _watch(facts: Facts) -> Check:
    """Compare with twice the period: a look is due every `watch_every`, and may be as late as that again."""
    due = facts.watch_due
    if due is None or facts.now - due <= max(facts.watch_every, SHORTEST_PERIOD):
        return Check(
            "watch", "certdesk.stalled", say("Certificates are checked ahead of their renewal in time.")
        )
    return Check(
        "watch",
        "certdesk.stalled",
        say(
            "Certificates are not checked ahead of their renewal in time: one has waited for its check since {when}.",
            when=due,
        ),
        say(
            "On-call: read in the log what the checks wait for. If they only take long, raise renewal.watchers or"
            " renewal.watch_hours; certdesk catches up by itself."
        ),
        due,
    )


_WAYS: Mapping[str, str] = {"slack": "Slack", "webhook": "webhooks"}


def _queue(via: str, queue: Queue, now: datetime) -> Check:
    thing, where = _queue_thing(via), _WAYS[via]
    if queue.oldest is not None and now - queue.oldest > UNDELIVERED:
        text = say(
            "Messages to {where} do not leave: one has been due since {when}.", where=where, when=queue.oldest
        )
        return Check(thing, "certdesk.undelivered", text, _UNTAKEN, queue.oldest)
    since = queue.struggling_since
    if since is not None and now - since > UNDELIVERED:
        text = say(
            "Messages to {where} have failed since {when}, and are tried again and again.",
            where=where,
            when=since,
        )
        return Check(thing, "certdesk.undelivered", text, _REFUSED[via], since)
    return Check(thing, "certdesk.undelivered", say("Messages to {where} leave.", where=where))


_UNTAKEN = say(
    "On-call: look whether a worker (“certdesk run” or “certdesk work”) runs that has the settings for this, and what"
    " its log says. Nothing is lost: messages leave in order as soon as one does."
)
_REFUSED: Mapping[str, Text] = {
    "slack": say(
        "On-call: the log has Slack's reason under “slack.call_failed”. Mend the token, its scopes or the channel that"
        " it names; if Slack itself is down, wait. Nothing is lost: messages leave in order afterwards."
    ),
    "webhook": say(
        "On-call: the log has the reason under “webhook.failed”. Mend the address or the secret in alerts.webhooks, or"
        " the service behind it. Nothing is lost: what is owed is sent again by itself."
    ),
}


def _token(refused: Refused | None) -> Check:
    thing, code = "Slack's token", "certdesk.undelivered"
    if refused is None:
        return Check(thing, code, say("Slack has not refused certdesk's token."))
    return Check(
        thing,
        code,
        say(
            "Slack refuses certdesk's token ({reason}): nobody is answered, and no message leaves.",
            reason=refused.reason,
        ),
        say(
            "On-call: set slack.bot_token to the token (xoxb-…) on the app's page “OAuth & Permissions”, and restart"
            " certdesk. Nothing is lost: messages leave in order afterwards."
        ),
        refused.since,
    )


def _socket(facts: Facts) -> Check:
    since = facts.deaf_since
    if since is None or facts.now - since <= DEAF:
        return Check("Socket Mode", "certdesk.deaf", say("Slack's events can arrive."))
    return Check(
        "Socket Mode",
        "certdesk.deaf",
        say(
            "Slack's commands and clicks do not arrive: nothing has come through Socket Mode since {when}.",
            when=since,
        ),
        say(
            "On-call: the log has the reason under “slack.connect_failed” or “slack.deaf”. Check slack.app_token and the way out to"
            " Slack; certdesk goes on trying every few seconds."
        ),
        since,
    )


def _clocks(facts: Facts) -> Iterator[Check]:
    ahead = dict(facts.clocks)
    if facts.last_heartbeat is not None and facts.last_heartbeat > facts.now:
        ahead["another worker"] = facts.last_heartbeat - facts.now
    for whose, offset in ahead.items():
        yield _clock(whose, offset)


def _clock(whose: str, offset: timedelta) -> Check:
    thing = f"clock against {whose}"
    if abs(offset) <= CLOCK:
        return Check(
            thing, "certdesk.clock", say("The clocks of this machine and of {whose} agree.", whose=whose)
        )
    seconds = 10 * round(abs(offset) / timedelta(seconds=10))  # so that it does not read anew each minute
    return Check(
        thing,
        "certdesk.clock",
        _off(seconds, whose, behind=offset > timedelta(0)),
        say(
            "On-call: see whether this machine keeps its time by NTP (“timedatectl” says so) and set it right; with a"
            " wrong clock certificates renew at the wrong time and Slack's requests are refused."
        ),
    )


def _off(seconds: int, whose: str, *, behind: bool) -> Text:
    if behind:
        return say_n(
            "This machine's clock is about {count} second behind that of {whose}.",
            "This machine's clock is about {count} seconds behind that of {whose}.",
            count=seconds,
            whose=whose,
        )
    return say_n(
        "This machine's clock is about {count} second ahead of that of {whose}.",
        "This machine's clock is about {count} seconds ahead of that of {whose}.",
        count=seconds,
        whose=whose,
    )
