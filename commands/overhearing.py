"""Answers that were told aloud and go on: who reads there is judged anew before each is shown again."""

from collections.abc import Iterable

from commands import views
from commands.hearing import EVERYTHING, Rooms, all_may_hear
from commands.reply import Hint, Reply, Tone
from services import approvals
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.text import say
from services.model.workspaces import placed
from services.ports import Message

OVERHEARD = Reply(
    Tone.INFO,
    say("Somebody reads here now who may not hear of this, so it is not shown here any more"),
    (
        Hint(
            say(
                "What was begun goes on all the same. To see how it stands, for your eyes alone, type: {command}",
                command=views.typed("status"),
            )
        ),
    ),
)


def overheard(desk: Desk, message: Message, rooms: Rooms) -> bool:
    """Tell whether an answer that everybody in a channel reads would be heard by somebody who may not hear of its stores.

    Raises CertdeskError where Slack does not say who is there: it is shown, or not, once it does.
    """
    if message.private or not message.user or not message.channel or message.channel.startswith("D"):
        return False
    about = _about(desk, message)
    if about is not EVERYTHING and not about:
        return False
    room = rooms.room(placed(message.team, message.channel))
    if not room.known:
        raise CertdeskError(say("Slack does not say who reads in {channel}.", channel=message.channel))
    return not all_may_hear(room, about)


def _about(desk: Desk, message: Message) -> frozenset[str] | None:
    """Return the stores that an answer speaks of while it goes on; none of them for one that does not.

    What could not be done is said in it too, and may speak of names that are no store's.
    """
    if message.kind == approvals.MESSAGE:
        proposal = approvals.known(desk, str(message.body["proposal"]))
        if proposal is None or message.key != approvals.asked_key(proposal.id):
            return frozenset()
        return _named(proposal.stores, proposal.what.get("refused"))
    if not message.follows:
        return frozenset()
    with desk.storage.read() as tx:
        stores = [one.store for one in tx.certificates.get_many(message.follows)]
    return _named(stores, message.body.get("refused"))


def _named(stores: Iterable[str], refused: object) -> frozenset[str] | None:
    return EVERYTHING if refused else frozenset(stores)
