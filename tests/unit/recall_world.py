"""A fleet whose CA recalls it: the real steps of certificates and of the plan, over storage in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from services.bulk import steps
from services.desk import Desk
from services.model.certificates import Certificate, Window
from services.model.jobs import Counts, Hand, Item, ItemState, Job, JobState
from services.model.settings import Alerting, Renewing
from services.ports import Message, Transaction
from services.recalling.noting import id_after
from tests.building import START, Built

CHANNEL = "C0ALERTS"
URL = "https://status.ca.test/42"
MANY = 3


class Fleet(Built):
    """`Built`, with jobs at work too."""

    def desk_of(self, **changes: object) -> Desk:
        return replace(
            self.desk,
            alerting=self.alerting,
            limits=tuple(self.limits.values()),
            **changes,  # type: ignore[arg-type]
        )

    def work(self) -> bool:
        return super().work() or self.step()

    def step(self) -> bool:
        """Do the step of the plan that is due; tell whether one was."""
        with self.storage.write() as tx:
            held = tx.jobs.claim(self.now, self.renewing.lease, 1)
        for job in held:
            steps.step(self.desk_of(), job)
        return bool(held)

    def next_due(self) -> datetime | None:
        jobs = [job.run_after for job in self.jobs if job.state is JobState.RUNNING]
        return min((at for at in (super().next_due(), *jobs) if at is not None), default=None)

    # --- what the CA and persons do

    def recall(self, certificates: Iterable[Certificate]) -> None:
        """Let the CA say of these that their time to renew is past."""
        past = Window(self.now - timedelta(hours=1), self.now - timedelta(minutes=30))
        self.ca.explanation = URL
        self.ca.recalled |= {str(one.serial): past for one in certificates}

    def turn(self, after: JobState) -> Job | None:
        with self.storage.write() as tx:
            return tx.jobs.turn(self.plan.id, after, Hand("T1/U1", "oncall"), self.now)

    # --- what there is to see

    @property
    def jobs(self) -> list[Job]:
        """Every plan that there is."""
        with self.storage.read() as tx:
            found = [job for one in self.names_of_cas for job in _chain(tx, one)]
        return sorted(found, key=lambda job: job.created_at)

    @property
    def plan(self) -> Job:
        [plan] = self.jobs
        return plan

    @property
    def counts(self) -> Counts:
        found: Counts = self.reading(lambda tx: tx.jobs.counts(self.plan.id))
        return found

    def items(self, state: ItemState) -> list[Item]:
        return list(self.reading(lambda tx: tx.jobs.items(self.plan.id, state, 1000)))

    @property
    def messages(self) -> list[Message]:
        """Every message to the alerts' channel."""
        with self.storage.read() as tx:
            found = [tx.outbox.by_key(f"recall:{job.id}") for job in self.jobs]
        return [one for one in found if one is not None]

    @property
    def serials(self) -> dict[str, str | None]:
        return {one.domain: one.serial for one in self.all}


def _chain(tx: Transaction, ca: str) -> Iterator[Job]:
    """Yield the CA's plans one after the other, as their ids follow from each other."""
    before = ""
    while (job := tx.jobs.get(id_after(ca, before))) is not None:
        yield job
        before = job.id


def fleet(count: int = 6, **renewing: object) -> Fleet:
    """Return a fleet of so many certificates, all installed and well."""
    policy = Renewing(many=MANY, plan_width=2)
    built = Fleet(renewing=replace(policy, **renewing), alerting=Alerting(channel=CHANNEL))  # type: ignore[arg-type]
    built.add_many(count)
    built.advance(timedelta(minutes=5))
    assert all(one.serial and one.not_before and one.not_before >= START for one in built.all)
    return built
