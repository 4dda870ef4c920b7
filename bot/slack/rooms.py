"""What is known of a channel, by conversations.info and conversations.members of its workspace; in doubt nothing is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.slack.kept import Kept
from bot.slack.settings import SlackSettings
from bot.slack.workspaces import ByWorkspace
from commands.caller import Caller
from commands.hearing import UNSEEN, Room
from services.model.clock import Clock
from services.model.workspaces import HOME, place, placed

MOST_READERS = 50
"""So many people of a channel are looked at one by one (a look-up each, kept for a while); with more it is not known."""
_PAGE = 200
"""Members that Slack is asked for at once, bots among them."""


@dataclass(frozen=True, slots=True)
class _Channel:
    """What Slack says of a channel itself."""

    direct: bool
    shared: bool
    public: bool


@dataclass(frozen=True, slots=True)
class _Members:
    """Who is in a channel."""

    users: tuple[str, ...]
    whole: bool
    """False: there are more than Slack told at once."""


class SlackRooms:
    """`commands.hearing.Rooms` by Slack's Web API (channels:read, groups:read, mpim:read)."""

    def __init__(
        self,
        clients: ByWorkspace,
        settings: SlackSettings,
        reader: Callable[[str], Caller | None],
        clock: Clock,
        keep: timedelta = timedelta(minutes=5),
    ) -> None:
        """Make one; a change of a channel, or of who is in it, is seen after ``keep`` at the latest.

        ``clients`` ask each workspace with its own token; ``reader`` says what somebody may see, written as
        `services.model.workspaces.placed` writes it, and None for what is no living person.
        """
        self._clients, self._settings, self._reader = clients, settings, reader
        self._kept = Kept(clock, keep)

    def room(self, channel: str) -> Room:
        """Return what is known of the channel; people are asked after only where it depends on them."""
        found: _Channel | None = self._kept.get(("channel", channel), lambda: self._ask_channel(channel))
        if found is None:
            return UNSEEN
        # the settings name channels of the support workspace: elsewhere the same id is another channel
        staff = place(channel)[0] == HOME and channel in self._settings.staff_channels
        depends = not (found.direct or found.shared or staff or found.public)
        readers = self._readers(channel) if depends else None
        return Room(True, found.direct, found.shared, found.public, staff, readers)

    def _readers(self, channel: str) -> tuple[Caller, ...] | None:
        found: _Members | None = self._kept.get(("members", channel), lambda: self._ask_members(channel))
        if found is None or not found.whole or len(found.users) > MOST_READERS:
            return None
        team, _ = place(channel)
        known = (self._reader(placed(team, user)) for user in found.users)
        return tuple(one for one in known if one is not None)

    def _ask_channel(self, channel: str) -> _Channel:
        team, within = place(channel)
        return read_channel(self._clients(team).conversations_info(channel=within)["channel"] or {})

    def _ask_members(self, channel: str) -> _Members:
        team, within = place(channel)
        answer = self._clients(team).conversations_members(channel=within, limit=_PAGE)
        members = answer.get("members")
        if members is None:  # an empty channel is something else
            raise KeyError("members")
        more = (answer.get("response_metadata") or {}).get("next_cursor")
        return _Members(tuple(sorted(map(str, members))), not more)


def read_channel(channel: Mapping[str, Any]) -> _Channel:
    """Return what conversations.info says. Raises KeyError if it does not even name the channel."""
    _ = channel["id"]
    shared = channel.get("is_shared") and not channel.get("is_org_shared")
    outside = channel.get("is_ext_shared") or channel.get("is_pending_ext_shared") or shared
    pending = channel.get("pending_shared") or channel.get("pending_connected_team_ids")
    direct = bool(channel.get("is_im"))
    closed = direct or channel.get("is_private") or channel.get("is_group") or channel.get("is_mpim")
    return _Channel(direct, bool(outside or pending), not closed)
