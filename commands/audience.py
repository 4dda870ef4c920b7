"""Who will read what a store is told in a channel: said to whoever links the channel, before anybody has read anything."""

from commands.caller import STAFF
from commands.hearing import Rooms
from commands.reply import Hint
from services.model.text import Text, say

PUBLIC, OTHERS, NONE = "public", "others", ""


def audience(channel: str, store: str, rooms: Rooms) -> str:
    """Return who else reads in the channel: everybody (`PUBLIC`), people who do not see the store (`OTHERS`), or nobody known.

    Of a channel that Slack says nothing of, and of people of other organisations, nothing is known.
    """
    room = rooms.room(channel)
    if room.public:
        return PUBLIC
    readers = room.readers or ()
    strange = any(one.role not in STAFF and not one.sees(store) for one in readers)
    return OTHERS if strange else NONE


_SAID: dict[str, Text] = {
    PUBLIC: say(
        "Take care: this channel is public. Everybody in its workspace can read what the store's merchant is told there;"
        " a private channel of the store's own people is what a link is for."
    ),
    OTHERS: say(
        "Take care: people read in this channel who are not linked to the store. They read what its merchant is told there;"
        " link them as well, or let them leave the channel."
    ),
}


def warned(found: str) -> tuple[Hint, ...]:
    """Return the line that says so; nothing where nobody else is known to read."""
    return (Hint(_SAID[found]),) if found in _SAID else ()
