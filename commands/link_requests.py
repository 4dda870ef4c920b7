"""A person's request to be linked to a store: as support sees it, with what became of it, and as the asker is told."""

from datetime import datetime

from commands import views
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

    It is quiet if there is no such store, and if it stands there already and was only asked for again.
    """
    with desk.storage.read() as tx:
        request = tx.links.request(str(message.body["request"]))
        known = request is not None and linking.known(tx, request)
    if request is None:
        return Composed(GONE, final=True)
    waits = request.open(desk.clock())
    quiet = waits if message.ts else not known
    return Composed(_open(request) if waits else _closed(request), final=not waits, quiet=quiet)


def answer_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``link_answer``, body {"request": id}: what the asker is told once support has approved.

    It is not final, so that it goes to the person's direct messages: what is shown in a channel to one person alone is
    lost on who is away, and support may take days.
    """
    request = _request(desk, message)
    if request is None:
        return Composed(GONE, final=True)
    headline = say("You are linked to the store {store} now", store=request.store)
    look = say("To see its certificates, type: {command}", command=views.typed("status", request.store))
    return Composed(Reply(Tone.GOOD, headline, (Hint(look),), private=True), final=False)


def subject(desk: Desk, request: str) -> str:
    """Return what the audit trail says a decision was about: the request's id, and its person and store if it is known."""
    with desk.storage.read() as tx:
        known = tx.links.request(request)
    return request if known is None else f"{request} {known.person} {known.store}"


def _request(desk: Desk, message: Message) -> LinkRequest | None:
    with desk.storage.read() as tx:
        return tx.links.request(str(message.body["request"]))


def _open(request: LinkRequest) -> Reply:
    headline = say("Somebody asks to be linked to the store {store}", store=request.store)
    care = say(
        "certdesk cannot know whether this person belongs to the store: make sure of it before you approve. Whoever is"
        " linked sees the store's certificates, and can add and renew them."
    )
    until = say("Without a decision it runs out on {until}.", until=request.at + LASTS)
    return Reply(Tone.WARN, headline, (_facts(request), Paragraph(care), _buttons(request), Hint(until)))


def _facts(request: LinkRequest) -> Fields:
    team, _, user = request.person.rpartition("/")
    rows: tuple[tuple[Text, Value], ...] = (
        (say("Person"), say("{person}", person=user)),
        (say("Id of the person"), user),
        (say("Id of their workspace"), team or views.UNKNOWN),
        (say("Store"), request.store),
        (say("Asked on"), request.at),
    )
    return Fields(rows)


def _buttons(request: LinkRequest) -> Part:
    sure = say("Link this person to the store {store}?", store=views.clipped(request.store))
    approve = Button(APPROVE, request.id, say("Approve"), "primary", sure)
    return Buttons((approve, Button(DECLINE, request.id, say("Decline"))))


def _closed(request: LinkRequest) -> Reply:
    if request.decided_at is None:
        headline = say("Nobody has decided this request for the store {store} in time", store=request.store)
        again = Hint(say("It has run out; the merchant can ask again."))
        return Reply(Tone.INFO, headline, (_facts(request), again))
    text = (
        "Approved: the person is linked to the store {store}"
        if request.approved
        else "Declined: the person is not linked to the store {store}"
    )
    decided = _decided(request.decided_by, request.decided_at)
    tone = Tone.GOOD if request.approved else Tone.INFO
    return Reply(
        tone, say(text, store=request.store), (Paragraph(decided), _facts(request), *_after(request))
    )


def _decided(by: str, at: datetime) -> Text:
    return say("{who} decided this on {at}.", who=person(by), at=at)


def _after(request: LinkRequest) -> tuple[Part, ...]:
    if request.approved:
        mention = f"@{linking.user_of(request.person)}"
        back = views.typed("unlink", mention, request.store)
        return (Hint(say("To take it back, type: {command}", command=back)),)
    quiet = "The person is not told: an answer would give away that there is such a store."
    return (Hint(say(quiet)),)
