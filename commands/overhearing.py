"""Answers that are told aloud: who reads there is judged anew before each is told, and before it is shown again."""

from collections.abc import Iterable
from enum import Enum

from commands import views
from commands.hearing import ABOUT, EVERYTHING, Rooms, all_may_hear
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

PATIENCE = 2
"""So often, over eleven minutes, what stands in a channel waits until Slack says who reads there."""


class Ears(Enum):
    """For whom an answer is that was to be told aloud."""

    ALL = "all"
    ASKER = "asker"
    """It was not told yet: who asked is told alone."""
    NOBODY = "nobody"
    """It stands there already, where others read now: it is hidden."""


def ears(desk: Desk, message: Message, rooms: Rooms) -> Ears:
    """Tell for whom an answer is now that everybody in a channel was to read, by who reads there and what it is about.

    Where Slack does not say who is there, what was not told yet is for the asker alone; for what stands there CertdeskError is
    raised, so that it is shown, or not, once Slack does. After `PATIENCE` failures it goes on with the asker alone: certdesk
    has probably been sent out of the channel.
    """
    elsewhere = "/" in (message.ts or "")  # it stands in the asker's direct messages
    if message.private or elsewhere or not message.user or message.channel[:1] in ("", "D"):
        return Ears.ALL
    about = _about(desk, message)
    if about is not EVERYTHING and not about:
        return Ears.ALL
    room = rooms.room(placed(message.team, message.channel))
    if all_may_hear(room, about):
        return Ears.ALL
    if not message.ts:
        return Ears.ASKER
    if room.known:
        return Ears.NOBODY
    if message.failures < PATIENCE:
        raise CertdeskError(say("Slack does not say who reads in {channel}.", channel=message.channel))
    return Ears.ASKER


def _about(desk: Desk, message: Message) -> frozenset[str] | None:
    """Return the stores that an answer speaks of; none of them for one that does not.

    What could not be done is said in it too, and may speak of names that are no store's.
    """
    if message.kind == approvals.MESSAGE:
        proposal = approvals.known(desk, str(message.body["proposal"]))
        if proposal is None or message.key != approvals.asked_key(proposal.id):
            return frozenset()
        return _named(proposal.stores, proposal.what.get("refused"))
    if ABOUT in message.body:
        return EVERYTHING if message.body[ABOUT] is None else frozenset(message.body[ABOUT])
    with desk.storage.read() as tx:
        stores = [one.store for one in tx.certificates.get_many(message.follows)]
    named = message.body.get("store")
    return _named((*stores, *((named,) if isinstance(named, str) else ())), message.body.get("refused"))


def _named(stores: Iterable[str], refused: object) -> frozenset[str] | None:
    return EVERYTHING if refused else frozenset(stores)
