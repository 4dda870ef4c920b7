"""/ssl renew NAME…: renew now, without waiting for the renewal that comes by itself."""

from commands import naming, picking
from commands.asking import Asked, answer
from commands.caller import Action
from commands.command import Call, Command, arguments, some_words
from commands.reply import Outcome
from services.model.text import say
from services.renewal import asking


def run(call: Call) -> Outcome:
    """Ask for a renewal of every name; one that is under way is joined.

    Without a name, where a modal can be shown, those that are due or blocked are offered.
    """
    args = arguments(call)
    if call.modal and not args.words:
        return picking.renewing_of(call, args.store)
    read = naming.read_all(some_words(args), call)
    names = tuple(one for one in read if isinstance(one, str))
    taken = asking.renew(
        call.desk, names, store=args.store, visible=call.caller.changes, actor=call.caller.person
    )
    return answer(call, Asked("renew", read, taken, args.store))


COMMAND = Command(
    name="renew",
    action=Action.CHANGE,
    summary=say("Renew certificates now"),
    usage="/ssl renew NAME… [--store STORE]",
    example="/ssl renew shop.example.com",
    run=run,
    changes=True,
)
