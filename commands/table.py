"""All sub-commands of /ssl, in the order in which help shows them. A new one is one file and one line here."""

from commands import (
    add,
    alerts,
    check,
    forecast,
    help,  # noqa: A004 - the sub-command is called help
    history,
    language,
    link,
    links,
    notify,
    remove,
    renew,
    report,
    revoke,
    rollback,
    scan,
    status,
    unlink,
)
from commands.command import Command

COMMANDS: tuple[Command, ...] = (
    # the main job: get, look, renew
    add.COMMAND,
    status.COMMAND,
    renew.COMMAND,
    remove.COMMAND,
    revoke.COMMAND,
    rollback.COMMAND,
    # why not, and what was
    check.COMMAND,
    history.COMMAND,
    # whether shoppers see it without a warning
    scan.COMMAND,
    # what is going to go wrong, and what has
    forecast.COMMAND,
    alerts.COMMAND,
    report.COMMAND,
    # who belongs to which store
    link.COMMAND,
    unlink.COMMAND,
    links.COMMAND,
    # where it is said, and how
    notify.COMMAND,
    language.COMMAND,
    # what there is
    help.COMMAND,
)
