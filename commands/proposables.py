"""All that waits for a yes before it is done, and for whose: one table. A new one is an entry in its own file and a line here."""

from collections.abc import Mapping

from commands import add_file, remove, renew, renew_cause, revoke, unlink
from commands.proposable import Proposable

PROPOSABLES: Mapping[str, Proposable] = {
    one.name: one
    for one in (
        # who asked confirms it
        renew.PROPOSABLE,
        remove.PROPOSABLE,
        unlink.PROPOSABLE,
        # another person approves it
        renew_cause.PROPOSABLE,
        revoke.PROPOSABLE,
        # and this one too, but for merchants, who confirm it themselves
        add_file.PROPOSABLE,
    )
}
