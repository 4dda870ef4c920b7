"""The lifecycle of a certificate's work as data: states, events, and one table of (state, event) -> state."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where the work on a certificate stands. The installed revision stays live through all of them."""

    CHECKING = "checking"
    PREPARING = "preparing"
    ORDERING = "ordering"
    CHALLENGING = "challenging"
    VALIDATING = "validating"
    FINALIZING = "finalizing"
    COLLECTING = "collecting"
    DEPLOYING = "deploying"
    VERIFYING = "verifying"
    INSTALLED = "installed"
    BLOCKED = "blocked"
    FAILED = "failed"
    NEEDS_SUPPORT = "needs_support"
    RETIRED = "retired"
    """It has no name left that is wanted: nothing is renewed."""


class Event(StrEnum):
    """What happened in one step, or what a person asked for."""

    CHECKS_PASSED = "checks_passed"
    CHECKS_BLOCKED = "checks_blocked"
    NOTHING_TO_GAIN = "nothing_to_gain"
    CSR_MADE = "csr_made"
    ORDER_PLACED = "order_placed"
    CHALLENGES_ANSWERED = "challenges_answered"
    CHALLENGE_TYPE_FAILED = "challenge_type_failed"
    VALIDATED = "validated"
    FINALIZED = "finalized"
    ISSUED = "issued"
    DEPLOYED = "deployed"
    VERIFIED = "verified"
    UNPROVED = "unproved"
    ORDER_LOST = "order_lost"
    ATTEMPT_FAILED = "attempt_failed"
    HANDED_OVER = "handed_over"
    POSTPONED = "postponed"
    RETRY_DUE = "retry_due"
    RENEWAL_DUE = "renewal_due"
    ASKED = "asked"
    REMOVED = "removed"
    KEY_BARRED = "key_barred"
    ROLLED_BACK = "rolled_back"


_S, _E = State, Event

TRANSITIONS: Mapping[tuple[State, Event], State] = {
    # gather, then decide whether an order may be spent
    (_S.CHECKING, _E.CHECKS_PASSED): _S.PREPARING,
    (_S.CHECKING, _E.CHECKS_BLOCKED): _S.BLOCKED,
    # what could be issued now is installed already: no order is spent on the same names again
    (_S.CHECKING, _E.NOTHING_TO_GAIN): _S.INSTALLED,
    # the key and the CSR are saved before the order, the order before its challenges (RFC 8555 §7.1.6)
    (_S.PREPARING, _E.CSR_MADE): _S.ORDERING,
    (_S.ORDERING, _E.ORDER_PLACED): _S.CHALLENGING,
    (_S.CHALLENGING, _E.CHALLENGES_ANSWERED): _S.VALIDATING,
    (_S.CHALLENGING, _E.CHALLENGE_TYPE_FAILED): _S.ORDERING,
    (_S.VALIDATING, _E.CHALLENGE_TYPE_FAILED): _S.ORDERING,
    (_S.CHALLENGING, _E.VALIDATED): _S.FINALIZING,
    (_S.VALIDATING, _E.VALIDATED): _S.FINALIZING,
    (_S.FINALIZING, _E.FINALIZED): _S.COLLECTING,
    (_S.COLLECTING, _E.ISSUED): _S.DEPLOYING,
    (_S.DEPLOYING, _E.DEPLOYED): _S.VERIFYING,
    (_S.VERIFYING, _E.VERIFIED): _S.INSTALLED,
    # it lies on every target, but the edge does not show it yet: certdesk goes on looking
    (_S.VERIFYING, _E.UNPROVED): _S.INSTALLED,
    # the CA no longer knows the order, or it expired: a new one with the same key and CSR
    (_S.CHALLENGING, _E.ORDER_LOST): _S.ORDERING,
    (_S.VALIDATING, _E.ORDER_LOST): _S.ORDERING,
    (_S.FINALIZING, _E.ORDER_LOST): _S.ORDERING,
    (_S.COLLECTING, _E.ORDER_LOST): _S.ORDERING,
    # its key was reported compromised on the way: a new key and CSR for the same names
    (_S.FINALIZING, _E.KEY_BARRED): _S.PREPARING,
    (_S.DEPLOYING, _E.KEY_BARRED): _S.PREPARING,
    (_S.VERIFYING, _E.KEY_BARRED): _S.PREPARING,
    # an attempt that failed waits for its back-off
    (_S.PREPARING, _E.ATTEMPT_FAILED): _S.FAILED,
    (_S.ORDERING, _E.ATTEMPT_FAILED): _S.FAILED,
    (_S.CHALLENGING, _E.ATTEMPT_FAILED): _S.FAILED,
    (_S.VALIDATING, _E.ATTEMPT_FAILED): _S.FAILED,
    (_S.FINALIZING, _E.ATTEMPT_FAILED): _S.FAILED,
    (_S.COLLECTING, _E.ATTEMPT_FAILED): _S.FAILED,
    # what was issued does not fit after all: it has run out meanwhile, or a trial CA signed it
    (_S.DEPLOYING, _E.ATTEMPT_FAILED): _S.FAILED,
    (_S.FAILED, _E.HANDED_OVER): _S.NEEDS_SUPPORT,
    # every CA that could issue is known to be unable now, or our orders are spent: no failure, it waits and is watched
    (_S.CHECKING, _E.POSTPONED): _S.BLOCKED,
    (_S.ORDERING, _E.POSTPONED): _S.BLOCKED,
    (_S.CHALLENGING, _E.POSTPONED): _S.BLOCKED,
    (_S.VALIDATING, _E.POSTPONED): _S.BLOCKED,
    (_S.FINALIZING, _E.POSTPONED): _S.BLOCKED,
    (_S.COLLECTING, _E.POSTPONED): _S.BLOCKED,
    # what starts the work (again)
    (_S.INSTALLED, _E.RENEWAL_DUE): _S.CHECKING,
    (_S.INSTALLED, _E.ASKED): _S.CHECKING,
    (_S.BLOCKED, _E.RETRY_DUE): _S.CHECKING,
    (_S.BLOCKED, _E.ASKED): _S.CHECKING,
    (_S.FAILED, _E.RETRY_DUE): _S.CHECKING,
    (_S.FAILED, _E.ASKED): _S.CHECKING,
    # the watch has seen that something is right now that was wrong
    (_S.NEEDS_SUPPORT, _E.RETRY_DUE): _S.CHECKING,
    (_S.NEEDS_SUPPORT, _E.ASKED): _S.CHECKING,
    # two persons put an earlier revision back, which is complete: it is only deployed again
    (_S.INSTALLED, _E.ROLLED_BACK): _S.DEPLOYING,
    (_S.BLOCKED, _E.ROLLED_BACK): _S.DEPLOYING,
    (_S.FAILED, _E.ROLLED_BACK): _S.DEPLOYING,
    (_S.NEEDS_SUPPORT, _E.ROLLED_BACK): _S.DEPLOYING,
    # a person has removed its last name, and perhaps adds one again
    (_S.INSTALLED, _E.REMOVED): _S.RETIRED,
    (_S.BLOCKED, _E.REMOVED): _S.RETIRED,
    (_S.FAILED, _E.REMOVED): _S.RETIRED,
    (_S.NEEDS_SUPPORT, _E.REMOVED): _S.RETIRED,
    (_S.RETIRED, _E.ASKED): _S.CHECKING,
}

RESTING = frozenset({_S.INSTALLED, _S.BLOCKED, _S.FAILED, _S.NEEDS_SUPPORT, _S.RETIRED})
"""States in which nothing is under way: they end only by time, by evidence or by a person."""


class UndefinedTransitionError(Exception):
    """An event happened in a state that has no rule for it: a fault of certdesk's, never of its user."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"no transition from {state.value} by {event.value}")


def after(state: State, event: Event) -> State:
    """Return the state that ``event`` leads to from ``state``. Raises UndefinedTransitionError for an undefined pair."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise UndefinedTransitionError(state, event) from None
