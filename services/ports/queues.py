"""Ports: what came in from Slack, and what is owed to it and to webhooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from services.model.identity import new_id
from services.model.workspaces import place, placed


@dataclass(frozen=True, slots=True)
class Request:
    """A person's command or click as it came in, written before anything else happens."""

    id: str
    dedupe: str
    """What makes a second delivery the same request: Slack's trigger_id, for one."""
    team: str
    user: str
    channel: str
    text: str
    created_at: datetime
    done_at: datetime | None = None
    fence: int = 0
    lease_until: datetime | None = None
    tries: int = 0
    kind: str = "command"
    """``command``: `text` is what follows the slash command; ``click``: the action's id, then its value; ``submission``:
    the sheet that was filled in; ``home``: the person has opened the Home tab."""
    trigger: str = ""
    """Slack's trigger_id, with which a modal can be opened once, within three seconds; empty if there is none."""
    view: str = ""
    """Id of the view (a modal, or the Home tab) in which it was done; empty for messages and commands."""
    form: Mapping[str, Any] = field(default_factory=dict)
    """What stood in that view, JSON-ready: ``values`` (field -> text or list of texts), ``memory`` (what the view carried:
    never proof of a right), ``hash`` (which version of the view it was) and ``kind`` (``modal`` or ``home``)."""
    workspace: str = ""
    """The workspace in which it was made, which need not be the person's own; empty: the support workspace."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to Slack (or a webhook), posted once and then edited in place whenever it is dirty.

    ``kind`` says how its content is made when it is sent: ``reply`` shows ``body``; other kinds are composed from what
    the database says at that moment, so that edits which pile up become one.
    """

    id: str
    key: str
    """Unique: a second `put` under the same key changes the message instead of adding one."""
    kind: str
    channel: str
    user: str
    """Whom it is for; shown to this person alone if ``private``."""
    private: bool
    body: Mapping[str, Any]
    created_at: datetime
    follows: tuple[str, ...] = ()
    """Ids of the certificates whose changes make it dirty; for a Home other things besides (`services.home`)."""
    ts: str | None = None
    """Slack's id of the posted message; None before it is posted."""
    version: int = 1
    """Grows with each change; the message is due while it is larger than `sent`."""
    sent: int = 0
    run_after: datetime | None = None
    failures: int = 0
    error: str = ""
    fence: int = 0
    lease_until: datetime | None = None
    via: str = "slack"
    """``slack``; ``webhook``: then `channel` is the webhook's name; or ``home``: the Home tab of `user`."""
    thread: str = ""
    """Key of the message in whose thread it stands; it waits until that one is posted. Empty: in the channel itself."""
    team: str = ""
    """The workspace that the channel and the user are of; empty: the support workspace."""
    origin: str = ""
    """Where it was owed, as TEAM/CHANNEL, before it fell back to the support workspace; empty: here."""

    @classmethod
    def in_channel(cls, key: str, kind: str, channel: str, body: Mapping[str, Any], now: datetime) -> Self:
        """Return a message that everybody in the channel sees, new under its key and due at once.

        ``channel`` is written as `services.model.workspaces.placed` writes it: that of another workspace as TEAM/C….
        """
        team, within = place(channel)
        return cls(
            id=new_id("msg"),
            key=key,
            kind=kind,
            channel=within,
            team=team,
            user="",
            private=False,
            body=body,
            created_at=now,
            run_after=now,
        )

    @property
    def owed_to(self) -> str:
        """The channel that it was put out for, as `placed` writes it, wherever it stands by now."""
        return self.origin or placed(self.team, self.channel)


class Requests(Protocol):
    """Commands that came in: a queue."""

    def add(self, request: Request) -> bool:
        """Insert; False, and nothing changed, if one with this ``dedupe`` exists."""
        ...

    def get(self, request: str) -> Request | None:
        """Return the request with this id, or None."""
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Request]:
        """Claim undone requests without an unexpired lease, oldest first; ``tries`` and ``fence`` grow by one each."""
        ...

    def finish(self, request: Request, now: datetime) -> None:
        """Mark a claimed request as done. Raises LeaseLostError if another worker has claimed it since."""
        ...


class Outbox(Protocol):
    """Messages that are owed to Slack, written in the transaction of the change they speak of."""

    def put(self, message: Message) -> None:
        """Insert; if the key exists: take the new kind, body and follows, raise the version, and keep what was posted.

        Due at its `run_after`, or from `created_at` on without one.
        """
        ...

    def by_key(self, key: str) -> Message | None:
        """Return the message with this key, or None."""
        ...

    def touch(self, certificate: str, now: datetime) -> None:
        """Make every message that follows the certificate dirty and due now."""
        ...

    def follow(self, message: Message, follows: Sequence[str]) -> None:
        """Have a claimed message follow these from now on, and no others; it is no change of it.

        Raises LeaseLostError if another worker has claimed it since.
        """
        ...

    def followed(self, thing: str) -> bool:
        """Tell whether any message follows this."""
        ...

    def followed_under(self, prefix: str) -> Sequence[str]:
        """Return what is followed that begins with ``prefix``, each once, sorted."""
        ...

    def claim(self, now: datetime, lease: timedelta, limit: int, via: str = "slack") -> Sequence[Message]:
        """Claim messages of ``via`` with version > sent and run_after <= now, oldest change first; as `Certificates.claim`."""
        ...

    def delivered(self, message: Message, ts: str, *, final: bool) -> None:
        """Record that ``message.version`` was sent as ``ts``; ``final`` ends its following. Later changes stay due.

        What was changed since it was claimed goes on following: only a delivery that shows the change can be final.
        Raises LeaseLostError if another worker has claimed it since.
        """
        ...

    def postponed(self, message: Message, run_after: datetime, error: str) -> None:
        """Record a failed delivery: one failure more, due again at ``run_after``. Raises LeaseLostError as above."""
        ...

    def fall_back(self, message: Message, channel: str, origin: str) -> None:
        """Give a claimed message to ``channel`` of the support workspace, to be posted there anew; its thread stays.

        `origin` is where it was owed. With no channel it is closed: nobody can be told. Raises LeaseLostError as above.
        """
        ...

    def revive(self, via: str = "slack") -> None:
        """Make every dirty message of ``via`` that has failed due as of its creation: who begins to deliver tries it first.

        What was held back behind it by whoever delivered before comes after it, as ever.
        """
        ...

    def waiting(self) -> int:
        """Return how many messages are dirty."""
        ...

    def oldest(self, via: str = "slack") -> datetime | None:
        """Return since when the longest waiting dirty message of ``via`` has been due (its run_after); None if none is.

        A message that was postponed counts from its next try on; `struggling` tells of those.
        """
        ...

    def struggling(self, via: str = "slack") -> int:
        """Return how many dirty messages have failed at least once."""
        ...
