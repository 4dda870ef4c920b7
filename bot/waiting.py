"""`--wait`: follow certificates to the end of their attempt, working on them here if no worker is running."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import structlog

from bot.config_keys import host_and_port
from bot.frontdoor import FrontDoor
from bot.health import Health
from bot.wiring import Application
from bot.workers import HEARTBEAT_SECONDS, Workers
from commands.following import Followed, followed_now
from commands.progressing import progress
from commands.reply import Outcome, Reply
from services.model.certificates import Certificate
from services.model.findings import Owner
from services.model.lifecycle import State
from services.model.sight import EVERY
from services.overview import describe

log = structlog.get_logger()
LOOKS = 0.2
"""Seconds between looks at the database."""
STUBBORN = 4
"""Faults in a row of the platform's own (a target, the name servers) after which whoever waits is told, while it goes on."""


class Follower:
    """Iterating gives the reply each time it changes, until every followed certificate has come to rest."""

    def __init__(self, application: Application, outcome: Outcome, seconds: float) -> None:
        """Follow what ``outcome`` began, for at most ``seconds``."""
        self._application = application
        self._outcome = outcome
        self._seconds = seconds
        self.outcome = outcome
        """Once the iteration has ended: the final outcome; 0 only if every name is installed and nothing blocks it."""

    def __iter__(self) -> Iterator[Reply]:
        """Yield replies, the last of which is the outcome's."""
        app, asked = self._application, self._outcome
        with ExitStack() as stack:
            works_here = False
            end = time.monotonic() + self._seconds
            shown: Reply | None = None
            while True:
                if not works_here and not _somebody_works(app):
                    _work_here(app, stack)  # there was no worker, or it has ended meanwhile
                    works_here = True
                followed = _followed(app, asked)
                reply = progress(app.desk, asked.verb, asked.names, asked.follows, asked.refused).reply
                if reply != shown:
                    yield reply
                    shown = reply
                if all(_settled(one) for one in followed) or time.monotonic() > end:
                    self.outcome = _ended(app, asked, reply, followed)
                    return
                time.sleep(LOOKS)


def _followed(application: Application, outcome: Outcome) -> list[Followed]:
    with application.storage.read() as tx:
        return [followed_now(tx, one, outcome.names) for one in tx.certificates.get_many(outcome.follows)]


def _settled(followed: Followed) -> bool:
    """Tell whether nothing more is to be expected soon: it is done, waits for its time, or certdesk's own part fails."""
    certificate = followed.certificate
    if certificate.state is State.INSTALLED:
        return followed.done or followed.unproved or certificate.retry_at is not None
    return certificate.resting or _stuck(certificate)


def _stuck(certificate: Certificate) -> bool:
    problem = certificate.problem
    own = problem is not None and problem.owner is Owner.PLATFORM
    return own and certificate.attempt.faults >= STUBBORN


def _ended(application: Application, outcome: Outcome, reply: Reply, followed: list[Followed]) -> Outcome:
    statuses = [describe(application.desk, name, visible=EVERY) for name in outcome.names]
    listed = {status.name for status in statuses}
    refused = [one for one in (outcome.data or {}).get("certificates", ()) if one["name"] not in listed]
    good = (
        all(one.done for one in followed) and not outcome.exit_code and not any(s.blocked for s in statuses)
    )
    data = {"certificates": [*refused, *(status.as_json() for status in statuses)]}
    return Outcome(reply, 0 if good else 1, data)


def _somebody_works(application: Application) -> bool:
    beat = application.storage.last_heartbeat()
    if beat is None:
        return False
    # one from the future is of a clock that was wrong
    return abs(application.clock() - beat) < timedelta(seconds=3 * HEARTBEAT_SECONDS)


def _work_here(application: Application, stack: ExitStack) -> None:
    """Run the workers in this process, and answer challenges if the address is free: else another process does."""
    host, port = host_and_port(application.loaded.config.http.listen, 8402)
    try:
        health = Health(application, slack=False, deaf_since=None, listens=True)
        door = FrontDoor(application, None, host, port, health)
    except OSError:
        log.info("challenges are answered by the process that listens", listen=f"{host}:{port}")
    else:
        door.start()
        stack.callback(door.stop)
    workers = Workers(application, None, ahead=False)
    workers.start()
    stack.callback(workers.stop)
