"""What it takes for an action to wait for a yes: one entry for each, which stands in the file of its sub-command."""

from collections.abc import Callable
from dataclasses import dataclass

from commands.caller import Action
from commands.reply import Composed, Outcome, Part
from services.approvals import Perform
from services.desk import Desk
from services.model.proposals import Decider, Proposal
from services.model.text import Text


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before it is done."""

    title: Text
    parts: tuple[Part, ...]
    """What exactly, and what comes of it."""
    yes: Text
    """What the button says that does it: a word or two."""


@dataclass(frozen=True, slots=True)
class Proposable:
    """An action that waits for a yes."""

    name: str
    """The sub-command: what the audit trail calls it."""
    right: Action
    """What both who asks and who decides must have, for every store that it is about, at the moment of the decision."""
    decider: Decider
    """Who has to say yes, unless `confirming.ask` is told otherwise."""
    question: Callable[[Desk, Proposal], Question]
    perform: Perform
    outcome: Callable[[Desk, Proposal], Outcome]
    """What is said once it is done (`Proposal.result`); with `Outcome.follows` it shows how these certificates get on."""
    subject: Callable[[Proposal], str]
    """What the audit trail says it is done to."""
    progress: Callable[[Desk, Proposal, bool], Composed] | None = None
    """How what was begun goes on, in place of `outcome`; its messages then follow what `Proposal.result` says.

    The last argument tells whether merchants read it, who are not told which person of the platform did what.
    """
    danger: bool = True
    """Whether the button that does it is red."""
