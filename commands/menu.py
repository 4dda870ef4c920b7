"""/ssl alone: a menu of what the caller may do, as a modal; what is chosen there is shown in its place."""

from collections.abc import Callable
from dataclasses import dataclass

from commands import due, forecast, help, live, naming, offering, picking, status  # noqa: A004 - the sub-command is called help
from commands.alerts import COMMAND as ALERTS
from commands.caller import Action, Caller
from commands.command import Call, Command
from commands.reply import Button, Buttons, Heading, Hint, Outcome, Paragraph, Part, Reply, Sheet, Tone
from commands.sheets import link_sheet
from commands.table import COMMANDS
from services.desk import Desk
from services.model.text import Text, say

MENU = "menu"
"""Name of the sheet: it is never sent off, only clicked in."""
BACK = "menu.back"
"""Action's id of the way back to the menu."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that the menu offers."""

    id: str
    """The action's id (`commands.clicks.CLICKS`)."""
    action: Action
    label: Text
    run: Callable[[Call], Outcome]


def _shown(command: Command) -> Callable[[Call], Outcome]:
    """Return what shows a command's answer as a page of the modal, with the way back."""

    def run(call: Call) -> Outcome:
        outcome = command.run(
            Call((), call.caller, call.desk, call.channel, COMMANDS, _store(call), call.people)
        )
        return _page(outcome.reply, call)

    return run


def _page(reply: Reply, call: Call) -> Outcome:
    back = Buttons((Button(BACK, "-", say("Back")),))
    page = Reply(reply.tone, reply.title, (*reply.parts, back), private=True)
    return Outcome(reply, sheet=live.of_reply(page, memory=picking.memory(_store(call))))


ITEMS: tuple[Item, ...] = (
    # the main job
    Item(
        "menu.add",
        Action.CHANGE,
        say("Get certificates"),
        lambda call: offering.start(call, _store(call)),
    ),
    Item("menu.renew", Action.CHANGE, say("Renew"), lambda call: due.start_renewing(call, _store(call))),
    Item("menu.status", Action.LOOK, say("Where things stand"), _shown(status.COMMAND)),
    # what is going to go wrong, and what has
    Item("menu.forecast", Action.LOOK, say("What will not renew"), _shown(forecast.COMMAND)),
    Item("menu.alerts", Action.ALERTS, say("Open alerts"), _shown(ALERTS)),
    # who belongs to which store
    Item("menu.link", Action.ASK_LINK, say("Link me to a store"), lambda _call: _ask_for_link()),
    # what there is
    Item("menu.help", Action.HELP, say("All commands"), _shown(help.COMMAND)),
)


def sheet(caller: Caller, store: str | None = None) -> Sheet:
    """Return the menu for this caller: only what the role may do, and for strangers how to get access."""
    offered = [one for one in ITEMS if caller.may(one.action) and not _needless(one, caller)]
    buttons = Buttons(
        tuple(Button(one.id, "-", one.label, "primary" if at == 0 else "") for at, one in enumerate(offered))
    )
    parts: list[Part] = [buttons]
    if not caller.may(Action.LOOK):
        parts.insert(0, Paragraph(help.access(caller, Action.LOOK)))
    if store is not None:
        parts.insert(0, Paragraph(say("Here everything is about the store {store}.", store=store)))
    parts.append(Hint(say("The same can be typed: {command} shows how.", command="/ssl help")))
    title = say("What would you like to do?")
    return Sheet(
        MENU, say("certdesk"), tuple(parts), memory=picking.memory(store), heading=Heading(Tone.INFO, title)
    )


def _needless(item: Item, caller: Caller) -> bool:
    """Tell whether the item is for others alone: who sees every store, or has one, needs no link from a menu."""
    return item.action is Action.ASK_LINK and (caller.stores is None or bool(caller.stores))


def opened(caller: Caller, store: str | None, desk: Desk) -> Outcome:
    """Return the menu, about the store of the channel where there is one; where it cannot be shown, the help."""
    reply = help.run(Call((), caller, desk, table=COMMANDS)).reply
    return Outcome(reply, sheet=sheet(caller, store))


def back(call: Call) -> Outcome:
    """Show the menu (again)."""
    return opened(call.caller, _store(call), call.desk)


def _ask_for_link() -> Outcome:
    reply = Reply(
        Tone.INFO,
        say("To ask for a store, type its id behind the command"),
        (Hint(say("Type: {command}", command="/ssl link STORE")),),
        private=True,
    )
    return Outcome(reply, sheet=link_sheet())


def _store(call: Call) -> str | None:
    """Return the store that the menu was opened about, if it is the caller's: what the modal carries proves nothing."""
    store = picking.remembered(call)
    return store if store is not None and naming.is_own_store(store, call) else None
