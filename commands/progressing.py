"""How the work on certificates goes, as an answer that is composed anew at each change."""

from collections.abc import Sequence

from commands.following import look
from commands.progress import view
from commands.reply import Composed, Refused
from services.desk import Desk


def progress(
    desk: Desk, verb: str, names: Sequence[str], follows: Sequence[str], refused: Sequence[Refused] = ()
) -> Composed:
    """Return the answer to ``verb`` (add or renew) for ``names`` as the database has it now.

    ``follows`` are the ids of their certificates. Final once every certificate has all the names asked for installed.
    """
    followed = look(desk, names, follows)
    return Composed(view(verb, followed, refused), all(one.done for one in followed))
