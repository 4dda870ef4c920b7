"""Which way a message goes to Slack, and what to do when a way is closed: pure tables and rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from bot.slack.errors import CallError
from services.ports import Message


class Method(StrEnum):
    """The Web API method that a way uses."""

    POST = "chat.postMessage"
    UPDATE = "chat.update"
    EPHEMERAL = "chat.postEphemeral"
    SHARE = "files.completeUploadExternal"


class Then(StrEnum):
    """What to do about a failed call."""

    LATER = "later"  # it passes by itself
    MEND = "mend"  # an operator must mend token, scopes or workspace: every message waits
    DIRECT = "direct"  # this place takes nothing from us: write to the person directly
    ANEW = "anew"  # what was posted cannot be edited any more: post another
    PLAIN = "plain"  # the blocks are refused: send the text alone
    AWAY = "away"  # certdesk is not in that workspace any more: what it was owed falls back to support
    BARE = "bare"  # files are not taken there: send the words alone
    ALOUD = "aloud"  # nothing can be added to its thread: say it in the channel


_CODES: Mapping[Then, str] = {
    Then.MEND: "access_denied account_inactive ekm_access_denied invalid_auth missing_scope no_permission not_authed"
    " not_allowed_token_type org_login_required team_access_not_granted token_expired token_revoked two_factor_setup_required",
    Then.DIRECT: "as_user_not_supported channel_not_found is_archived not_in_channel restricted_action"
    " restricted_action_non_threadable_channel restricted_action_read_only_channel"
    " restricted_action_thread_only_channel slack_connect_canvas_sharing_blocked team_not_found user_not_in_channel"
    " cannot_dm_bot user_disabled user_not_found user_not_visible",
    Then.ANEW: "cant_update_message edit_window_closed message_not_found",
    Then.PLAIN: "attachment_payload_limit_exceeded invalid_attachments invalid_blocks invalid_blocks_format"
    " msg_blocks_too_long msg_too_long too_many_attachments",
    Then.BARE: "file_upload_size_restricted file_uploads_disabled file_uploads_except_images_disabled files_upload_restricted"
    " posting_to_channel_denied restricted_action_file_upload slack_connect_file_link_sharing_blocked"
    " slack_connect_file_upload_sharing_blocked storage_limit_reached unknown_method",
    Then.AWAY: "WorkspaceGoneError",
    Then.ALOUD: "cannot_reply_to_message invalid_thread_ts restricted_action_thread_locked thread_not_found",
}
THEN: Mapping[str, Then] = {code: then for then, codes in _CODES.items() for code in codes.split()}
"""Slack's error codes (docs: chat.postMessage, chat.update, chat.postEphemeral, files.completeUploadExternal). All others pass by themselves."""

UNSOUND_VIEWS = frozenset(code for code, todo in THEN.items() if todo is Then.PLAIN) | {
    "invalid_arguments",
    "view_too_large",
}
"""The codes for a modal or a Home tab that Slack refuses for what is in it, and so would never take."""

LOST = frozenset({"account_inactive", "invalid_auth", "token_revoked"})
"""What Slack's methods say of a token that is good no more."""
SOON = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60))
"""Waiting time after the first, second … failure that passes by itself; the last one repeats."""
SELDOM = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 360))
"""The same where a person has to act: nothing is given up, but Slack is not pestered either."""
OFTEN = SELDOM[:2]
"""The same for what is for a channel and nobody in particular, such as an alert: there is no other way to tell of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in Slack."""

    channel: str
    ts: str

    def stored(self, asked_in: str) -> str:
        """Return what the outbox keeps as ``ts``: Slack's, behind CHANNEL/ if it does not stand where it was asked for."""
        return self.ts if self.channel == asked_in else f"{self.channel}/{self.ts}"


def place_of(message: Message) -> Place | None:
    """Return where ``message`` was posted; None before it was."""
    if not message.ts:
        return None
    channel, _, ts = message.ts.rpartition("/")
    return Place(channel or message.channel, ts)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to show a message."""

    method: Method
    channel: str
    """Empty: the person's direct messages, whose id Slack has to be asked for."""
    ts: str = ""
    plain: bool = False
    """Whether the text goes alone, without blocks."""
    thread: str = ""
    """Slack's id of the message in whose thread it is posted; empty: in the channel itself."""


def first_way(
    message: Message, *, private: bool, final: bool, files: bool = False, under: Place | None = None
) -> Way:
    """Return the way to try first.

    What stands is edited in place. What is private and finished is shown to the person alone where they asked; what is
    private and goes on changing stands in their direct messages, because an ephemeral message cannot be edited and is
    lost when the person is away. So does what was asked for in a view, which has no channel. A direct-message channel (D…) is private as it is. ``under`` is where the message
    stands whose thread it belongs to; what is private is in none. With ``files`` it goes with them once, and private ones into the direct messages:
    no file can be shown to one person alone in a channel.
    """
    place = place_of(message)
    hidden = private and not message.channel.startswith("D")
    if place is not None and not (hidden and place.channel == message.channel):
        return Way(Method.UPDATE, place.channel, place.ts, thread=under.ts if under is not None else "")
    posts = Method.SHARE if files else Method.POST
    if under is not None and not (hidden and message.user):
        return Way(posts, under.channel, thread=under.ts)
    if files:
        return Way(posts, "" if hidden else message.channel)
    if hidden:
        seen_there = final and bool(message.channel)
        return Way(Method.EPHEMERAL, message.channel) if seen_there else Way(Method.POST, "")
    return Way(Method.POST, message.channel)


def next_way(way: Way, todo: Then, user: str = "somebody") -> Way | None:
    """Return what to try after ``way`` failed; None if there is nothing else. May return a way that was tried before.

    ``user`` is whom the message is for; empty: nobody in particular, so that nobody can be told directly.
    """
    if todo is Then.DIRECT:
        method = Method.SHARE if way.method is Method.SHARE else Method.POST
        return Way(method, "", plain=way.plain) if user else None
    if way.method is Method.SHARE and todo in (Then.BARE, Then.MEND):  # such as without the right files:write
        return replace(way, method=Method.POST)
    if todo is Then.ANEW and way.method is Method.UPDATE:
        return replace(way, method=Method.POST, ts="")
    if todo in (Then.ALOUD, Then.ANEW):  # of a post: the message is gone in whose thread it belongs
        return replace(way, thread="")
    return replace(way, plain=True) if todo is Then.PLAIN else None


def then(error: CallError, team: str = "") -> Then:
    """Return what to do about a failed call; ``team`` is the workspace, empty for the support workspace.

    There an operator has to mend the token. Elsewhere a refused one means that certdesk was sent away, and one that has
    merely ended is being renewed.
    """
    todo = THEN.get(error.code, Then.LATER)
    if not team:
        return Then.MEND if todo is Then.AWAY else todo
    return Then.AWAY if error.code in LOST else Then.LATER if error.code == "token_expired" else todo


def wait(todo: Then, message: Message, retry_after: int | None) -> timedelta:
    """Return how long to wait after one more failure of ``message``; Slack's Retry-After wins."""
    if retry_after is not None:
        return timedelta(seconds=retry_after)
    ladder = SOON if todo is Then.LATER else SELDOM if message.user else OFTEN
    return ladder[min(message.failures, len(ladder) - 1)]
