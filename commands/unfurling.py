"""Links to certificates and alerts that somebody shares: what they lead to, with that person's rights, or nothing at all."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from commands import alerts, hearing, status
from commands.caller import Action, Caller
from commands.command import Call
from commands.reply import Outcome, Reply, Tone
from commands.table import COMMANDS
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.text import NOTHING
from services.ports import Request

MOST = 5
"""Links of one message that are looked at."""
_PATH = re.compile(r"/(certificates|alerts)/([^/]{1,300})/?")
_ALERT = re.compile(r"alert_[0-9a-z]{1,40}")


def _certificate(call: Call) -> Outcome | None:
    [name] = call.words
    return status.COMMAND.run(call) if "." in name and not name.startswith("-") else None


def _alert(call: Call) -> Outcome | None:
    # by its id alone: a number is another alert's in a minute
    return alerts.COMMAND.run(call) if _ALERT.fullmatch(call.words[0]) else None


KINDS: Mapping[str, tuple[Action, Callable[[Call], Outcome | None]]] = {
    "certificates": (Action.LOOK, _certificate),
    "alerts": (Action.ALERTS, _alert),
}
"""What the first word of a link's path leads to, and the right that it needs."""


def look(desk: Desk, request: Request, caller: Caller) -> Outcome:
    """Return what the links in ``request`` lead to, as far as who shared them may see it; `Outcome.unfurls` may be empty.

    What is not theirs, what does not exist and what leads nowhere all give nothing.
    """
    links = [str(link) for link in request.form.get("links", ())][:MOST]
    found = {link: shown for link in links if (shown := _led_to(desk, caller, link)) is not None}
    return Outcome(Reply(Tone.INFO, NOTHING, private=True), unfurls=found)


def _led_to(desk: Desk, caller: Caller, link: str) -> Outcome | None:
    """Return the answer that the command of the same meaning gives; None for no such thing, or no right to it."""
    path = _PATH.fullmatch(_path(link))
    if path is None:
        return None
    action, run = KINDS[path[1]]
    if not caller.may(action):
        return None
    try:
        outcome = run(Call((unquote(path[2]).strip(),), caller, desk, table=COMMANDS))
    except CertdeskError:
        return None
    return outcome if outcome is not None and outcome.exit_code == 0 else None


def _path(link: str) -> str:
    try:
        return urlsplit(link).path
    except ValueError:
        return ""


def heard(outcome: Outcome, channel: str, rooms: hearing.Rooms) -> Outcome:
    """Return the outcome with those links alone that everybody who reads in the channel may hear of."""
    if not outcome.unfurls:
        return outcome
    room = rooms.room(channel)
    kept = {
        link: shown
        for link, shown in outcome.unfurls.items()
        if hearing.all_may_hear(room, hearing.stores_in(shown))
    }
    return replace(outcome, unfurls=kept)
