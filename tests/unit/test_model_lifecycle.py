"""The transition table: every pair walked, every state can still reach its end."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from services.model.certificates import Attempt, Certificate
from services.model.lifecycle import RESTING, TRANSITIONS, Event, State, UndefinedTransitionError, after
from services.overview import LABELS
from services.renewal.runner import STEPS

NOW = datetime(2027, 2, 10, 14, 3, tzinfo=UTC)


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_a_defined_pair_leads_on_and_an_undefined_one_is_refused(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
        return
    with pytest.raises(UndefinedTransitionError, match=f"no transition from {state.value} by {event.value}"):
        after(state, event)


def reachable(start: State) -> set[State]:
    found, open_ones = {start}, [start]
    while open_ones:
        here = open_ones.pop()
        nexts = {to for (state, _), to in TRANSITIONS.items() if state is here} - found
        found |= nexts
        open_ones += nexts
    return found


@pytest.mark.parametrize("state", State)
def test_every_state_can_reach_installed_and_be_reached_from_the_beginning(state: State) -> None:
    assert State.INSTALLED in reachable(state)
    assert state in reachable(State.CHECKING)


@pytest.mark.parametrize("event", Event)
def test_every_event_is_used(event: Event) -> None:
    assert event in {used for _, used in TRANSITIONS}


@pytest.mark.parametrize("state", sorted(RESTING))
def test_a_person_can_start_whatever_rests(state: State) -> None:
    assert after(state, Event.ASKED) is State.CHECKING


def test_a_person_cannot_start_what_is_under_way() -> None:
    assert {state for state, event in TRANSITIONS if event is Event.ASKED} == RESTING


def test_every_state_but_those_that_wait_for_a_person_has_a_step_and_every_one_a_label() -> None:
    assert set(STEPS) == set(State) - {State.NEEDS_SUPPORT, State.RETIRED}
    assert set(LABELS) == set(State)


def test_an_order_is_never_placed_before_key_and_csr_are_saved() -> None:
    assert [state for (state, _), to in TRANSITIONS.items() if to is State.CHALLENGING] == [State.ORDERING]
    into_ordering = {event for (_, event), to in TRANSITIONS.items() if to is State.ORDERING}
    assert into_ordering == {Event.CSR_MADE, Event.CHALLENGE_TYPE_FAILED, Event.ORDER_LOST}


def test_a_move_counts_looks_and_faults_anew_and_leaves_the_rest() -> None:
    certificate = Certificate(
        "cert_1", "moon", "moon.test", ("moon.test",), NOW, NOW, attempt=Attempt(polls=3, faults=2, ca="x")
    )
    later = NOW.replace(hour=15)
    moved = certificate.moved(Event.CHECKS_PASSED, now=later, run_after=later)
    assert moved == replace(
        certificate, state=State.PREPARING, attempt=Attempt(ca="x"), run_after=later, updated_at=later
    )
    assert not moved.resting
    with pytest.raises(UndefinedTransitionError):
        moved.moved(Event.VERIFIED, now=NOW, run_after=None)
