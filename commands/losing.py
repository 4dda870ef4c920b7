"""Private messages and open modals whose reader no longer sees what they are about: judged anew before each is shown again."""

from collections.abc import Iterable

from commands.caller import Doubt
from commands.command import Known
from commands.hearing import ABOUT
from commands.reply import Reply, Tone
from services import approvals
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.text import say
from services.ports import Message

LOST = Reply(
    Tone.INFO,
    say("This is about a store that you no longer see, and is not shown here any more"),
    private=True,
)


def lost(desk: Desk, message: Message, known: Known) -> bool:
    """Tell whether a private message is for somebody who no longer sees all the stores that it is about.

    Raises CertdeskError where Slack does not say who that is: it is shown, or not, once it does.
    """
    if not message.private or not message.user:
        return False
    person, workspace, stores = _about(desk, message)
    stores = set(stores)
    if not stores:
        return False
    reader = known(person, workspace)
    if all(reader.sees(store) for store in stores):
        return False
    if reader.doubt is not Doubt.NONE:
        raise CertdeskError(say("Slack does not say who {person} is.", person=person))
    return True


def _about(desk: Desk, message: Message) -> tuple[str, str, Iterable[str]]:
    """Return whose message it is, the workspace in which they asked, and the stores that it is about as things stand."""
    if message.kind == approvals.MESSAGE:
        proposal = approvals.known(desk, str(message.body["proposal"]))
        return ("", "", ()) if proposal is None else (proposal.person, proposal.workspace, proposal.stores)
    named, about = message.body.get("store"), message.body.get(ABOUT) or ()
    with desk.storage.read() as tx:
        followed = [one.store for one in tx.certificates.get_many(message.follows)]
    return message.user, message.team, (*followed, *about, *((named,) if isinstance(named, str) else ()))
