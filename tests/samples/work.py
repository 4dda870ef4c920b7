"""Certificates at work, in every state; and what waits for a yes, with all that may become of it, jobs included."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from commands import bulk, messages, proposables
from commands.caller import Caller, Role
from commands.dispatch import dispatch
from commands.progressing import progress
from services import approvals, linking
from services.bulk import steps, turning
from services.desk import Desk
from services.model.audiences import Kind
from services.model.lifecycle import State
from services.model.proposals import Decider, Stage
from services.model.settings import CaSettings
from services.ports import Message
from services.renewal import budget
from storage.memory import MemoryStorage
from tests.desks import MOON, SUPPORT, Bench, finding
from tests.samples import rollbacks
from tests.samples.sample import Sample, in_message
from tests.unit import test_bulk as jobs
from tests.unit.approval_world import ask, click, proposal
from tests.unit.commands_world import desk_of, make_bench
from tests.unit.test_bulk_file import Dropped
from tests.unit.test_commands_revoke import issue

SECOND = Caller("T1/U_SECOND", Role.SUPPORT, None)
PEOPLE = {one.person: one for one in (SUPPORT, SECOND, MOON)}
SHOP = "shop.moon.test"
MANY = tuple(f"shop.s{number:02}.test" for number in range(30))


def known(person: str, _workspace: str = "") -> Caller:
    """Return who somebody is: whoever is not known is nobody."""
    return PEOPLE.get(person, Caller(person, Role.NOBODY))


def at_work(verb: str, state: State) -> Iterator[Sample]:
    """Yield a certificate in this state, as the message of ``verb`` shows it."""
    bench = make_bench()
    dispatch(f"add {SHOP} www.moon.test", SUPPORT, bench.desk)
    blocked = finding("dns.not_hosted", SHOP)
    row = bench.change(SHOP, [blocked], state=state, problem=blocked, failures=3)
    yield Sample(f"message {messages.PROGRESS}", progress(bench.desk, verb, row.wanted, (row.id,)).reply)


# --- what waits for a yes -------------------------------------------------------------------------------------------


@dataclass
class Wish:
    """Something that was asked for; ``text`` is what was typed."""

    bench: Bench
    text: str
    uploads: Dropped = field(default_factory=lambda: Dropped(""))
    asker: Caller = SUPPORT

    def ask(self) -> str:
        return ask(self.bench, self.text, self.asker, uploads=self.uploads, known=known)


def _one() -> Bench:
    bench = make_bench()
    dispatch(f"add {SHOP} www.moon.test", SUPPORT, bench.desk)
    bench.install(SHOP)
    issue(bench)
    return bench


def _many(*, installed: bool) -> Bench:
    bench = Bench(MemoryStorage())
    bench.store("moon", *MANY)
    for number, name in enumerate(MANY if installed else ()):
        dispatch(f"add {name}", SUPPORT, bench.desk)
        bench.install(name, serial=f"{number:04x}", renew_at=bench.now)
    return bench


def _linked() -> Bench:
    bench = make_bench()
    linking.link(bench.desk, Kind.CHANNEL, "C0000001", "moon", SUPPORT.person)
    return bench


WISHES: Mapping[str, tuple[Callable[[], Wish], ...]] = {
    "renew": (lambda: Wish(_one(), f"renew {SHOP}"), lambda: Wish(_one(), f"renew {SHOP}", asker=MOON)),
    "unlink": (lambda: Wish(_linked(), "unlink <#C0000001> moon"),),
    "link": (lambda: Wish(_linked(), "link <#C0000001> sun"),),
    "remove": (
        lambda: Wish(_one(), "remove www.moon.test"),
        lambda: Wish(_one(), f"remove {SHOP} www.moon.test"),
        lambda: Wish(_many(installed=True), f"remove {' '.join(MANY)}", asker=MOON),
    ),
    "renew --cause": (lambda: Wish(jobs.world(), jobs.TEXT),),
    "revoke": tuple(
        lambda reason=reason: Wish(_one(), f"revoke {SHOP} --reason {reason}")  # type: ignore[misc]
        for reason in ("keyCompromise", "superseded", "cessationOfOperation")
    ),
    "rollback": (
        lambda: Wish(rollbacks.twice(), f"rollback {SHOP}"),
        lambda: Wish(rollbacks.twice(), f"rollback {SHOP}", asker=MOON),
    ),
    "renew many": (lambda: Wish(_many(installed=True), f"renew {' '.join(MANY)}"),),
    "add many": (
        lambda: Wish(_many(installed=False), f"add {' '.join(MANY)}"),
        lambda: Wish(_many(installed=False), f"add {' '.join(MANY)}", asker=MOON),
    ),
    "add --file": (
        lambda: Wish(make_bench(), "add --file", Dropped("www.moon.test\nsun.test\n")),
        lambda: Wish(make_bench(), "add --file", Dropped("www.moon.test\n"), MOON),
    ),
}
"""How each thing is asked for that waits for a yes."""


def waits(make: Callable[[], Wish]) -> Iterator[Sample]:
    """Yield what is asked for, open and in every way in which it ends, in each of its messages."""
    for end in (None, _yes, _no, _late):
        wish = make()
        asked = wish.ask()
        if end is not None:
            end(wish.bench, asked)
        yield from _shown(wish.bench, asked)
    wish = make()
    asked = wish.ask()
    _yes(wish.bench, asked)
    yield from _worked(wish.bench, asked)
    for turn in (_paused, _halted, _cancelled, _held_up):
        wish = make()
        asked = wish.ask()
        _yes(wish.bench, asked)
        if not turn(wish.bench, asked):
            return
        yield from _shown(wish.bench, asked)


def _yes(bench: Bench, asked: str) -> None:
    wish = proposal(bench, asked)
    if wish.decider is Decider.SELF:
        click(bench, "approval.confirm", asked, PEOPLE[wish.person], known=known)
    else:
        click(bench, "approval.approve", asked, SECOND, known=known)
    assert proposal(bench, asked).stage is Stage.DONE


def _no(bench: Bench, asked: str) -> None:
    wish = proposal(bench, asked)
    self_ = wish.decider is Decider.SELF
    action = "approval.cancel" if self_ else "approval.reject"
    click(bench, action, asked, PEOPLE[wish.person] if self_ else SECOND, known=known)
    assert proposal(bench, asked).stage is Stage.DECLINED


def _late(bench: Bench, asked: str) -> None:
    bench.now = proposal(bench, asked).expires
    assert approvals.expire(bench.desk, proposables.subject) == 1


def _shown(bench: Bench, asked: str) -> Iterator[Sample]:
    """Yield every message of the proposal that there is, in its own words and in private; and the job, as it stands."""
    desk, wish = desk_of(bench), proposal(bench, asked)
    keys = (*approvals.keys(wish), approvals.halted_key(asked))
    with bench.storage.read() as tx:
        there = [message for key in keys if (message := tx.outbox.by_key(key)) is not None]
    for message in there:
        yield from in_message(desk, message)
        yield from in_message(desk, replace(message, private=not message.private))
    found = turning.look(desk, _job(asked))
    if found is not None:
        for message in there:
            yield Sample(f"job {found[0].state}", messages.compose(desk, message).reply)


def _worked(bench: Bench, asked: str) -> Iterator[Sample]:
    """Yield how the work gets on: begun, waiting for the CA, partly failed, and over."""
    for round_ in range(40):
        _step(bench)
        yield from _shown(bench, asked)
        at_work = [row for row in bench.certificates() if not row.resting]
        for number, row in enumerate(at_work):
            name = row.wanted[0]
            if round_ == 0 and number == 0:
                wrong = finding("dns.not_hosted", name)
                bench.change(name, [wrong], state=State.BLOCKED, problem=wrong, run_after=None)
            else:
                bench.install(name, serial=f"{round_:02x}{number:02x}", problem=None)
        bench.now += timedelta(seconds=10)
        if not at_work:
            return


def _step(bench: Bench, desk: Desk | None = None) -> bool:
    with bench.storage.write() as tx:
        claimed = tx.jobs.claim(bench.now, timedelta(seconds=30), 1)
    for job in claimed:
        steps.step(desk or desk_of(bench), job)
    return bool(claimed)


def _paused(bench: Bench, asked: str) -> bool:
    return _turned(bench, asked, "bulk.pause")


def _cancelled(bench: Bench, asked: str) -> bool:
    return _turned(bench, asked, "bulk.cancel")


def _turned(bench: Bench, asked: str, action: str) -> bool:
    if turning.known(bench.desk, _job(asked)) is None:
        return False
    _step(bench)
    click(bench, action, _job(asked), SUPPORT)
    return True


def _halted(bench: Bench, asked: str) -> bool:
    """Let certdesk itself pause the job, because who is behind it has lost the right."""
    with bench.storage.write() as tx:
        claimed = tx.jobs.claim(bench.now, timedelta(seconds=30), 1)
    for job in claimed:
        assert not bulk.goes_on(desk_of(bench), job, lambda person, _workspace: Caller(person, Role.NOBODY))
        assert turning.known(bench.desk, job.id) is not None
    return bool(claimed)


def _held_up(bench: Bench, asked: str) -> bool:
    """Let the CA's rate limits leave no order, so that the job has to wait."""
    ca = CaSettings("le", "https://ca.test", limits={"orders": (1, timedelta(hours=3))})
    buckets = budget.order_buckets("le", ca, "x.test", ("x.test",))
    with bench.storage.write() as tx:
        assert budget.reserve(tx, buckets, bench.now)
    if not _step(bench, replace(desk_of(bench), limits=(ca,))):
        return False
    found = turning.known(bench.desk, _job(asked))
    assert found is not None
    assert found.waits is not None
    return True


def _job(asked: str) -> str:
    return asked.replace("prop_", "job_", 1)


def gone() -> Iterator[Sample]:
    """Yield what a message says whose proposal is not known any more."""
    bench = make_bench()
    body = {"proposal": "prop_0"}
    owed = Message("m", "k", approvals.MESSAGE, "C1", "U1", private=False, body=body, created_at=bench.now)
    yield from in_message(bench.desk, owed)
