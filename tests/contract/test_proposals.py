"""Proposals: each is decided once, before its end, or runs out; of two at once one counts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.model.proposals import Decider, Proposal, Stage
from services.ports import Storage
from tests.contract.samples import MINUTE, NOW, together

TICK = timedelta(microseconds=1)


def _proposal(number: int = 1, **changes: Any) -> Proposal:
    made = Proposal(
        id=f"prop_{number}",
        action="unlink",
        what={"who": "T1/U1", "stores": ["moon"], "name": "한국.test"},
        person="T1/U9",
        role="support",
        channel="C1",
        at=NOW,
        expires=NOW + 15 * MINUTE,
        decider=Decider.SELF,
    )
    return replace(made, **changes)


def _add(storage: Storage, *proposals: Proposal) -> list[bool]:
    with storage.write() as tx:
        return [tx.proposals.add(one) for one in proposals]


def _get(storage: Storage, proposal: str) -> Proposal | None:
    with storage.read() as tx:
        return tx.proposals.get(proposal)


def _decide(storage: Storage, by: str = "T1/U9", stage: Stage = Stage.DONE, **at: Any) -> Proposal | None:
    with storage.write() as tx:
        return tx.proposals.decide("prop_1", stage, by, "admin", NOW + timedelta(**at))


def test_what_is_put_in_comes_out(storage: Storage) -> None:
    assert _add(storage, _proposal()) == [True]
    assert _get(storage, "prop_1") == _proposal()
    assert _get(storage, "prop_2") is None


@pytest.mark.parametrize(
    ("about", "among", "found"),
    [
        (["moon"], {"moon"}, True),
        (["moon"], {"sun", "moon", *(f"store{number}" for number in range(600))}, True),
        (["sun", "moon"], {"moon", "sun"}, True),
        (["moon", "sun"], {"moon"}, False),
        (["sun", "moon"], {"moon"}, False),
        (["moon"], {"sun"}, False),
        (["moon"], set(), False),
        ([], {"moon", ""}, False),
    ],
)
def test_it_can_be_looked_for_among_some_stores_alone(
    storage: Storage, about: list[str], among: set[str], found: bool
) -> None:
    made = _proposal(what={"stores": about, "name": '"stores":["sun"'})
    _add(storage, made)
    with storage.read() as tx:
        assert tx.proposals.get("prop_1", frozenset(among)) == (made if found else None)
        assert tx.proposals.get("prop_2", frozenset(among)) is None


def test_the_same_id_is_the_same_proposal(storage: Storage) -> None:
    assert _add(storage, _proposal(), _proposal(person="T1/U2")) == [True, False]
    assert _get(storage, "prop_1") == _proposal()


def test_it_is_decided_once(storage: Storage) -> None:
    _add(storage, _proposal())
    decided = replace(
        _proposal(), stage=Stage.DONE, decided_by="T1/U9", decided_role="admin", decided_at=NOW + MINUTE
    )
    assert _decide(storage, minutes=1) == decided
    assert _decide(storage, "T1/U2", Stage.DECLINED, minutes=2) is None
    assert _get(storage, "prop_1") == decided


@pytest.mark.parametrize("stage", [Stage.DONE, Stage.DECLINED])
def test_at_its_end_it_can_no_longer_be_decided(storage: Storage, stage: Stage) -> None:
    _add(storage, _proposal(), _proposal(2))
    assert _decide(storage, stage=stage, minutes=15) is None
    assert _get(storage, "prop_1") == _proposal()
    with storage.write() as tx:
        assert tx.proposals.decide("prop_2", stage, "T1/U9", "admin", NOW + 15 * MINUTE - TICK) is not None


def test_there_is_nothing_to_decide_about_what_does_not_exist(storage: Storage) -> None:
    assert _decide(storage) is None


def test_what_was_done_is_kept(storage: Storage) -> None:
    _add(storage, _proposal())
    with storage.write() as tx:
        tx.proposals.decide("prop_1", Stage.DONE, "T1/U9", "admin", NOW)
        tx.proposals.settle("prop_1", {"follows": ["cert_1"], "gone": True})
    found = _get(storage, "prop_1")
    assert found is not None
    assert found.result == {"follows": ["cert_1"], "gone": True}


def test_what_runs_out_is_closed_once(storage: Storage) -> None:
    _add(storage, _proposal(), _proposal(2, expires=NOW + MINUTE), _proposal(3, expires=NOW + 20 * MINUTE))
    with storage.read() as tx:
        assert list(tx.proposals.lapsed(NOW + 15 * MINUTE, 10)) == ["prop_2", "prop_1"]
        assert list(tx.proposals.lapsed(NOW + 15 * MINUTE, 1)) == ["prop_2"]
        assert list(tx.proposals.lapsed(NOW + MINUTE - TICK, 10)) == []
    at = NOW + 15 * MINUTE
    with storage.write() as tx:
        assert tx.proposals.expire("prop_1", at - TICK) is None
        assert tx.proposals.expire("prop_1", at) == replace(_proposal(), stage=Stage.EXPIRED, decided_at=at)
        assert tx.proposals.expire("prop_1", at) is None
        assert tx.proposals.expire("prop_3", at) is None
        assert tx.proposals.expire("prop_9", at) is None
    assert _decide(storage) is None


def test_of_two_at_once_one_counts(storage: Storage) -> None:
    _add(storage, _proposal())
    found = together(
        lambda: _decide(storage, "T1/U2", minutes=1),
        lambda: _decide(storage, "T1/U3", Stage.DECLINED, minutes=1),
    )
    assert sorted(one is None for one in found) == [False, True]


def test_what_was_decided_in_a_transaction_that_failed_is_open_still(storage: Storage) -> None:
    _add(storage, _proposal())
    with pytest.raises(ZeroDivisionError), storage.write() as tx:  # noqa: PT012
        tx.proposals.decide("prop_1", Stage.DONE, "T1/U9", "admin", NOW)
        raise ZeroDivisionError
    assert _get(storage, "prop_1") == _proposal()
