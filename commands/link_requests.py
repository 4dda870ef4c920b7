"""A person's request to be linked to a store: as support sees it, with what became of it, and as the asker is told."""

from dataclasses import dataclass
from datetime import datetime

from commands import views
from commands.losing import LOST
from commands.persons import person
from commands.reply import Button, Buttons, Composed, Fields, Hint, Paragraph, Part, Reply, Tone
from services import linking
from services.desk import Desk
from services.model.audiences import LASTS, LinkRequest
from services.model.text import Text, Value, say
from services.ports import Message

APPROVE, DECLINE = "link.approve", "link.decline"
GONE = Reply(Tone.INFO, say("certdesk no longer knows this request"))


def request_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``link_request``, body {"request": id}: with buttons while it is open, then with who decided.

    It is quiet if there is no such store, if it stands there already and was only asked for again, and if it has run out
    before it was ever told.
    """
    with desk.storage.read() as tx:
        request = tx.links.request(str(message.body["request"]))
        store = linking.meant(tx, request) if request is not None else None
    if request is None:
        return Composed(GONE, final=True)
    waits = request.open(desk.clock())
    quiet = waits if message.ts else store is None or not (waits or request.decided_by)
    shown = _Shown(request, store or request.store)
    return Composed(_open(shown) if waits else _closed(shown), final=not waits, quiet=quiet)


def answer_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``link_answer``, body {"request": id}: what the asker is told once support has approved.

    It is not final, so that it goes to the person's direct messages: what is shown in a channel to one person alone is
    lost on who is away, and support may take days. Nobody is told of a store that they do not see any more by then.
    """
    with desk.storage.read() as tx:
        request = tx.links.request(str(message.body["request"]))
        store = linking.answered(tx, request) if request is not None else ""
    if request is None:
        return Composed(GONE, final=True)
    if not store:
        return Composed(LOST, final=True, quiet=not message.ts)
    headline = say("You are linked to the store {store} now", store=store)
    look = say("To see its certificates, type: {command}", command=views.typed("status", store))
    return Composed(Reply(Tone.GOOD, headline, (Hint(look),), private=True), final=False)


def subject(desk: Desk, request: str) -> str:
    """Return what the audit trail says a decision was about: the request's id, and its person and store if it is known."""
    with desk.storage.read() as tx:
        known = tx.links.request(request)
        store = linking.meant(tx, known) or known.store if known is not None else ""
    return request if known is None else f"{request} {known.person} {store}"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A request as support sees it."""

    request: LinkRequest
    store: str
    """The id of the store that was asked for."""


def _open(shown: _Shown) -> Reply:
    request = shown.request
    headline = say("Somebody asks to be linked to the store {store}", store=shown.store)
    care = say(
        "certdesk cannot know whether this person belongs to the store: make sure of it before you approve. Whoever is"
        " linked sees the store's certificates, and can add and renew them."
    )
    until = say("Without a decision it runs out on {until}.", until=request.at + LASTS)
    return Reply(Tone.WARN, headline, (_facts(shown), Paragraph(care), _buttons(shown), Hint(until)))


def _facts(shown: _Shown) -> Fields:
    request = shown.request
    team, _, user = request.person.rpartition("/")
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Person"), say("{person}", person=user)),
        (say("Id of the person"), user),
        (say("Id of their workspace"), team or views.UNKNOWN),
        (say("Store"), shown.store),
        *(((say("Asked for as"), request.store),) if request.store != shown.store else ()),
        (say("Asked on"), request.at),
    )
    return Fields(rows)


def _buttons(shown: _Shown) -> Part:
    sure = say("Link this person to the store {store}?", store=views.clipped(shown.store))
    approve = Button(APPROVE, shown.request.id, say("Approve"), "primary", sure)
    return Buttons((approve, Button(DECLINE, shown.request.id, say("Decline"))))


def _closed(shown: _Shown) -> Reply:
    request = shown.request
    if request.decided_at is None or not request.decided_by:
        headline = say("Nobody has decided this request for the store {store} in time", store=shown.store)
        again = Hint(say("It has run out; the merchant can ask again."))
        return Reply(Tone.INFO, headline, (_facts(shown), again))
    text = (
        "Approved: the person is linked to the store {store}"
        if request.approved
        else "Declined: the person is not linked to the store {store}"
    )
    decided = _decided(request.decided_by, request.decided_at)
    tone = Tone.GOOD if request.approved else Tone.INFO
    return Reply(tone, say(text, store=shown.store), (Paragraph(decided), _facts(shown), *_after(shown)))


def _decided(by: str, at: datetime) -> Text:
    return say("{who} decided this on {at}.", who=person(by), at=at)


def _after(shown: _Shown) -> tuple[Part, ...]:
    request = shown.request
    if request.approved:
        mention = f"@{linking.user_of(request.person)}"
        back = views.typed("unlink", mention, shown.store)
        return (Hint(say("To take it back, type: {command}", command=back)),)
    quiet = "The person is not told: an answer would give away that there is such a store."
    return (Hint(say(quiet)),)
