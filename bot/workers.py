"""The working half: a pump for each queue, and the ticker with what comes round by the clock."""

import os
import socket
from datetime import UTC, datetime
from typing import Any

from bot import lead
from bot.jobs import JobSteps
from bot.leases import Leases
from bot.lookout import Lookout
from bot.pump import RESTS, Pump
from bot.revocations import Revocations
from bot.scans import Scans
from bot.slack import rotation
from bot.slackside import SlackSide
from bot.ticker import Tick, Ticker
from bot.wiring import Application
from commands import live, proposables, requests
from services import approvals, home, linking
from services.alerting import digest
from services.model.certificates import Certificate
from services.model.identity import new_id
from services.ports import Message, Request
from services.renewal import budget, runner

HEARTBEAT_SECONDS = 5.0
DIGEST_SECONDS = 60.0
TIDY_SECONDS = 3600.0
HOMES_SECONDS = 10.0
APPROVALS_SECONDS = 15.0
GONE = datetime(1970, 1, 1, tzinfo=UTC)
"""The last sign of life of a worker that has ended."""
MESSAGES, VIEWS, HOMES = "messages", "views", "homes"


class Workers:
    """Works on certificates always, on requests and messages where Slack is connected.

    With ``ahead`` it also watches the fleet, tends the alerts and tells the webhooks; whoever only waits for one
    certificate leaves that to others.
    """

    def __init__(self, application: Application, slack: SlackSide | None, *, ahead: bool = True) -> None:
        self._application = application
        self._slack = slack
        self.name = f"{socket.gethostname()}-{os.getpid()}-{new_id('w')[-6:]}"
        threads = application.loaded.config.renewal.workers
        self._certificates: Pump[Certificate] = Pump(
            "certificates",
            self._due,
            self._advance,
            threads=threads,
            clock=application.clock,
            next_due=self._next_due,
            broken=self._broken,
        )
        lease = application.parts.renewing.lease
        self._leases = Leases(application.storage, application.clock, lease)
        self._seen: home.Standing = {}
        self._lead = lead.Lead(application.storage, self.name, application.clock)
        self._pumps: tuple[Pump[Any], ...] = (self._certificates,)
        ticks = [
            Tick("heartbeat", HEARTBEAT_SECONDS, self._beat),
            Tick("leases", lease.total_seconds() / 3, self._leases.extend),
        ]
        if slack is not None:
            self._pumps = (*self._pumps, *self._slack_pumps())
            ticks.append(Tick("approvals", APPROVALS_SECONDS, self._expire))
            ticks.append(Tick("lead", lead.SECONDS, self._take_turn))
            if slack.rotation is not None:
                ticks.append(Tick(rotation.DUTY, rotation.SECONDS, self._rotate))
            ticks.append(Tick("homes", HOMES_SECONDS, self._stir_homes))
        if ahead:
            self._pumps = (
                *self._pumps,
                *Lookout(application).pumps,
                self._job_steps().pump(),
                Revocations(application).pump(),
                Scans(application).pump(),
            )
            ticks += [Tick("digest", DIGEST_SECONDS, self._digest), Tick("tidy", TIDY_SECONDS, self._tidy)]
        self._ticker = Ticker(ticks)

    def start(self) -> None:
        """Begin."""
        self._beat()
        if self._slack is not None:
            self._take_turn()
        for pump in self._pumps:
            if (
                pump.name not in RESTS
            ):  # those look often enough by themselves: bells ring at each command and step
                self._application.bell.listeners.append(pump.wake)
            if pump.name in (MESSAGES, VIEWS):
                self._application.mail.listeners.append(pump.wake)
            pump.start()
        self._ticker.start()

    def stop(self) -> None:
        """Let the steps under way end."""
        for pump in self._pumps:
            pump.stop()
        self._ticker.stop()
        self._lead.give_up()
        # whoever waits for a worker need not wait for this one to be missed
        self._application.storage.heartbeat(self.name, GONE)

    def _job_steps(self) -> JobSteps:
        if self._slack is None:
            return JobSteps(self._application)
        return JobSteps(self._application, self._slack.callers.known)

    def _slack_pumps(self) -> tuple[Pump[Any], ...]:
        clock = self._application.clock
        return (
            Pump("requests", self._asked, self._perform, threads=4, clock=clock),
            # one thread, in one worker (see `bot.lead`), keeps the order of messages within a channel
            Pump(MESSAGES, self._owed, self._deliver, threads=1, clock=clock),
            # each modal is one row, which one thread has at a time
            Pump(VIEWS, self._open_views, self._show, threads=4, clock=clock),
            Pump(HOMES, self._open, self._publish, threads=2, clock=clock),
        )

    def _beat(self) -> None:
        self._application.storage.heartbeat(self.name, self._application.clock())

    def _take_turn(self) -> None:
        if self._lead.turn():
            self._application.mail.ring()

    def _rotate(self) -> None:
        if self._slack is not None and self._slack.rotation is not None:
            self._slack.rotation.tick(self.name, self._application.clock())

    def _digest(self) -> None:
        if digest.put(self._application.desk, self._application.clock()):
            self._application.mail.ring()

    def _stir_homes(self) -> None:
        self._seen = home.stir(self._application.desk, self._seen)

    def _expire(self) -> None:
        desk = self._application.desk
        if approvals.expire(desk, proposables.subject) + linking.expire(desk):
            self._application.mail.ring()

    def _tidy(self) -> None:
        budget.tidy(self._application.storage, self._application.clock())

    def _due(self, limit: int) -> list[Certificate]:
        app = self._application
        with app.storage.write() as tx:
            return list(tx.certificates.claim(app.clock(), app.parts.renewing.lease, limit))

    def _next_due(self) -> datetime | None:
        with self._application.storage.read() as tx:
            return tx.certificates.next_due()

    def _advance(self, certificate: Certificate) -> None:
        with self._leases.kept(certificate):
            runner.run(self._application.parts, certificate, lambda: self._certificates.going_on)

    def _broken(self, certificate: Certificate, error_id: str) -> None:
        runner.broken(self._application.parts, certificate, error_id)

    def _asked(self, limit: int) -> list[Request]:
        app = self._application
        with app.storage.write() as tx:
            return list(tx.requests.claim(app.clock(), app.parts.renewing.lease, limit))

    def _perform(self, request: Request) -> None:
        if self._slack is not None:
            slack, desk = self._slack, self._application.desk
            request = slack.callers.placed(request)
            caller = slack.callers.caller(request)
            requests.perform(
                desk,
                request,
                caller,
                slack.identity.named,
                slack.screens,
                slack.rooms,
                known=slack.callers.known,
                uploads=slack.uploads,
            )
            self._application.bell.ring()

    def _owed(self, limit: int) -> list[Message]:
        app = self._application
        if not self._lead.holds():
            return []
        with app.storage.write() as tx:
            return list(tx.outbox.claim(app.clock(), app.parts.renewing.lease, limit))

    def _open_views(self, limit: int) -> list[Message]:
        app = self._application
        with app.storage.write() as tx:
            return list(tx.outbox.claim(app.clock(), app.parts.renewing.lease, limit, live.VIA))

    def _show(self, row: Message) -> None:
        if self._slack is not None:
            self._slack.views.deliver(row)

    def _deliver(self, message: Message) -> None:
        if self._slack is not None:
            self._slack.notifier.deliver(message)

    def _open(self, limit: int) -> list[Message]:
        """Claim the Homes that are owed; what has changed only just now is let settle."""
        app = self._application
        settled = app.clock() - home.SETTLES
        with app.storage.write() as tx:
            return list(
                tx.outbox.claim(settled, home.SETTLES + app.parts.renewing.lease, limit, via=home.HOME)
            )

    def _publish(self, message: Message) -> None:
        if self._slack is not None:
            self._slack.homes.deliver(message)
