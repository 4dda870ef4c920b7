"""Who hears an answer: one pure decision from what is known of the channel, of who asks, and of what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from commands.caller import STAFF, Caller
from commands.reply import Hint, Outcome
from services.model.text import say
from services.model.workspaces import place


@dataclass(frozen=True, slots=True)
class Room:
    """What is known of a channel, as far as it matters who can read there."""

    known: bool = False
    """Whether Slack said what kind of channel it is."""
    direct: bool = False
    """A conversation with the bot alone."""
    shared: bool = False
    """Shared with another organisation, or about to be (is_ext_shared, is_pending_ext_shared, or is_shared and not is_org_shared)."""
    public: bool = False
    """Whether any member of the workspace can read there without being invited."""
    staff: bool = False
    """Whether the settings say that it is for the platform's own people."""
    readers: tuple[Caller, ...] | None = None
    """The people who are in it; None: not known, or too many to look at each of them."""


UNSEEN = Room()
"""A channel of which nothing is known."""


class Rooms(Protocol):
    """Says what is known of channels. Safe to use from many threads; may be a few minutes behind."""

    def room(self, channel: str) -> Room:
        """Return what is known of the channel, written as `services.model.workspaces.placed` writes it.

        `UNSEEN` where nothing can be had. Raises nothing.
        """
        ...


class Closed:
    """Knows no channel, so that nothing is told aloud: where there is no Slack to ask."""

    def room(self, _channel: str) -> Room:
        """Return a channel of which nothing is known."""
        return UNSEEN


CLOSED = Closed()
EVERYTHING = None
"""What an answer is about that speaks of no store in particular: perhaps of any."""


def aloud(room: Room, caller: Caller, about: frozenset[str] | None) -> bool:
    """Tell whether everybody in ``room`` may hear an answer to ``caller`` about these stores (None: perhaps any).

    In doubt they may not. A merchant's answers are for their own ears wherever they ask; what staff ask is for staff, and for
    merchants each of whose stores it is about.
    """
    return room.direct or (not caller.limited and all_may_hear(room, about))


def all_may_hear(room: Room, about: frozenset[str] | None) -> bool:
    """Tell whether everybody who reads in ``room`` may hear of these stores (None: perhaps any); in doubt they may not."""
    if room.direct:
        return True
    if not room.known or room.shared:
        return False
    if room.staff:
        return True
    if room.public or room.readers is None:
        return False
    return all(_may_hear(reader, about) for reader in room.readers)


def _may_hear(reader: Caller, about: frozenset[str] | None) -> bool:
    if reader.role in STAFF:
        return True
    return about is not EVERYTHING and bool(about) and all(reader.sees(store) for store in about)


def stores_in(outcome: Outcome) -> frozenset[str] | None:
    """Return the stores that an answer speaks of, by its machine contract; None if it may speak of any, or is for staff alone."""
    if outcome.staff_only:
        return EVERYTHING
    data = outcome.data or {}
    listed = data.get("certificates")
    objects: list[Mapping[str, Any]] = [data] if "store" in data else list(listed or ())
    stores = {one.get("store") for one in objects}
    return frozenset(map(str, stores)) if stores and None not in stores else EVERYTHING


ABOUT = "about"
"""What the body of a finished answer keeps the stores under that it speaks of: it may wait until others read along, or its
reader no longer sees them."""


def kept(outcome: Outcome, caller: Caller) -> Mapping[str, Any]:
    """Return what a finished answer keeps of the stores that it speaks of (`ABOUT`; None: perhaps any), as it is `heard`.

    Nothing where that does not matter: of what only the platform's own people are told, and where there is no store.
    """
    stores = stores_in(outcome)
    if not outcome.reply.private:
        return {ABOUT: None if stores is EVERYTHING else sorted(stores)}
    if caller.stores is None:
        return {}
    own = stores if stores and stores <= caller.stores else caller.stores
    return {ABOUT: sorted(own)} if own else {}


_ALONE = Hint(
    say(
        "Only you see this: others can read in this channel who may not hear of every store. To share an answer, ask in a"
        " channel of the platform's own people."
    )
)


def heard(outcome: Outcome, caller: Caller, channel: str, rooms: Rooms) -> Outcome:
    """Return the outcome, for the asker's eyes alone if not everybody who reads in the channel (as `placed`) may hear it.

    Asks ``rooms`` only where the answer could be told aloud; a view has no channel, and a direct message no other reader.
    """
    _, within = place(channel)
    if outcome.reply.private or not within or within.startswith("D"):
        return outcome
    if not caller.limited and aloud(rooms.room(channel), caller, stores_in(outcome)):
        return outcome
    told = (*outcome.reply.parts, *(() if caller.limited else (_ALONE,)))
    return replace(outcome, reply=replace(outcome.reply, private=True, parts=told))
