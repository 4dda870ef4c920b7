"""All that waits for a yes before it is done, and for whose: one table. A new one is an entry in its own file and a line here."""

from collections.abc import Mapping

from commands import (
    add_file,
    add_many,
    link,
    remove,
    renew,
    renew_cause,
    renew_many,
    revoke,
    rollback,
    unlink,
)
from commands.proposable import Proposable
from services.model.proposals import Proposal

PROPOSABLES: Mapping[str, Proposable] = {
    one.name: one
    for one in (
        # who asked confirms it
        renew.PROPOSABLE,
        unlink.PROPOSABLE,
        link.PROPOSABLE,
        # this one too, unless it is about more certificates than one person may decide on alone
        remove.PROPOSABLE,
        # another person approves it
        renew_cause.PROPOSABLE,
        revoke.PROPOSABLE,
        rollback.PROPOSABLE,
        renew_many.PROPOSABLE,
        add_many.PROPOSABLE,
        # and this one too, but for merchants with a short list, who confirm it themselves
        add_file.PROPOSABLE,
    )
}


def subject(proposal: Proposal) -> str:
    """Return what the audit trail says a proposal is about; empty for an action that this version does not know."""
    known = PROPOSABLES.get(proposal.action)
    return known.subject(proposal) if known is not None else ""
