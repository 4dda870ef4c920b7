"""Of many workers one delivers messages; another takes over when it is gone, and tries first what had failed."""

from datetime import timedelta

from bot.lead import LASTS, Lead
from storage.memory import MemoryStorage
from tests.contract import samples
from tests.contract.samples import LEASE, MINUTE, NOW
from tests.unit.slack_world import FakeClock


def test_one_delivers_until_it_is_gone() -> None:
    storage, clock = MemoryStorage(), FakeClock()
    first, second = Lead(storage, "a", clock), Lead(storage, "b", clock)
    assert first.turn()
    assert not second.turn()
    assert (first.holds(), second.holds()) == (True, False)
    clock.now += LASTS - timedelta(seconds=1)
    assert not first.turn()  # it goes on, and takes nothing over
    clock.now += LASTS - timedelta(seconds=1)
    assert not second.turn()
    clock.now += timedelta(seconds=1)
    assert not first.holds()  # its word has run out, whether or not another one is there
    assert second.turn()
    assert not first.turn()
    assert (first.holds(), second.holds()) == (False, True)


def test_who_ends_gives_it_up_at_once() -> None:
    storage, clock = MemoryStorage(), FakeClock()
    first, second = Lead(storage, "a", clock), Lead(storage, "b", clock)
    first.turn()
    second.give_up()  # not its own to give
    assert not second.turn()
    first.give_up()
    assert not first.holds()
    assert second.turn()


def test_what_had_failed_is_not_overtaken() -> None:
    storage, clock = MemoryStorage(), FakeClock()
    clock.now = NOW
    with storage.write() as tx:
        tx.outbox.put(samples.message(1, run_after=NOW))
        [failed] = tx.outbox.claim(NOW, LEASE, 5)
        tx.outbox.postponed(failed, NOW + 30 * MINUTE, "ratelimited")
        tx.outbox.put(samples.message(2, run_after=NOW + MINUTE))
    clock.now = NOW + 2 * MINUTE
    assert Lead(storage, "b", clock).turn()
    with storage.write() as tx:
        claimed = tx.outbox.claim(clock(), LEASE, 5)
    assert [one.id for one in claimed] == ["msg_1", "msg_2"]
