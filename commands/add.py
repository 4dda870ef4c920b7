"""/ssl add NAME…: certificates for names that the merchant has added."""

from commands import add_file, add_many, naming, offering, picking
from commands.add_file import FILE
from commands.asking import Asked, answer
from commands.caller import TERMINAL, Action
from commands.command import Call, Command, Note, arguments, some_words
from commands.reply import Outcome
from services.bulk.lists import MOST_BYTES
from services.bulk.plans import MOST
from services.issuance import adding
from services.model.text import say


def run(call: Call) -> Outcome:
    """Add every name that can be one; those that are refused are said, and do not hold up the others.

    Without a name, where a modal can be shown, names are offered to choose from.
    """
    terminal = call.caller.person == TERMINAL.person
    args = arguments(call, values=("--store", FILE)) if terminal else arguments(call, flags=(FILE,))
    if FILE in args.values or FILE in args.flags:
        return add_file.run(call, args)
    if call.modal and (asked := picking.instead_of_names(call, args)) is not None:
        return offering.start(call, *asked)
    read = naming.read_all(some_words(args), call)
    if not terminal and (asked_of_another := add_many.question(call, read, args.store)) is not None:
        return asked_of_another
    names = tuple(one for one in read if isinstance(one, str))
    taken = adding.add(
        call.desk, names, store=args.store, visible=call.caller.changes, actor=call.caller.person
    )
    return answer(call, Asked("add", read, taken, args.store))


COMMAND = Command(
    name="add",
    action=Action.CHANGE,
    summary=say("Get certificates for names of a store"),
    usage="/ssl add NAME… | --file [--store STORE]",
    terminal="/ssl add NAME… | --file PATH [--store STORE]",
    notes=(
        Note(
            say(
                "{option} takes a list in place of names: UTF-8 text or CSV with a name in each line, or store,name; lines that"
                " begin with # are remarks. In Slack it is the newest list that you have put into the channel within an hour,"
                " in a terminal the file at PATH. It may have {most:,} names and {size} kB. If a line is wrong it is named, and"
                " nothing of the list is done.",
                option=FILE,
                most=MOST,
                size=MOST_BYTES // 1024,
            )
        ),
    ),
    example="/ssl add shop.example.com www.example.com",
    run=run,
    changes=True,
)
