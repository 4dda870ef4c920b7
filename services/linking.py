"""Links of people and channels to stores: asked for by merchants, decided or made by support, taken back, listed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import SystemRandom

from services import home, naming
from services.desk import Desk
from services.model.audiences import Kind, Link, LinkRequest
from services.model.errors import InvalidNameError, NotFoundError
from services.model.identity import new_id
from services.model.names import counts_as
from services.model.settings import Alerting
from services.model.text import Text, say
from services.model.workspaces import HOME, place, placed
from services.ports import Message, Transaction

random = SystemRandom().random
REQUEST, ANSWER = "link_request", "link_answer"
"""Kinds of messages: a request as support sees it, and what the asker is told once it is approved."""

MOST_CLOSED = 100
"""Requests that have run out and are closed at once."""
EARLIEST, SPREAD = timedelta(seconds=3), timedelta(seconds=9)
"""When support is told of a request: after the answer to it has long left. Messages leave one behind the other, and an answer that
waited for one to support would tell that there is such a store."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision."""

    done: bool
    text: Text
    """For the person who clicked: what was decided, or why nothing was."""


@dataclass(frozen=True, slots=True)
class Linked:
    """What came of a link."""

    new: bool
    """False: it was there already."""
    before: str = ""
    """The store that the channel was linked to until now; empty: none."""
    language_dropped: bool = False
    """Whether a language had been chosen for the channel while it was the former store's; it is forgotten."""


def user_of(person: str) -> str:
    """Return the user's id of a person written as TEAM/USER."""
    return person.rpartition("/")[2]


def request_key(request: str) -> str:
    """Return the key of the message that shows a request for a link to support."""
    return f"link_request:{request}"


def ask(desk: Desk, person: str, store: str, channel: str) -> bool:
    """Take the wish of ``person`` (TEAM/USER), typed in ``channel``, to be linked to ``store``; False: nobody could see it.

    Nobody can tell by the result, nor by how long it takes, whether there is such a store: nobody asks until support is
    told (`meant`), a few seconds after the answer, when exactly chance says. Asked again while it is open, it stays one request.
    """
    support = support_channel(desk.alerting)
    if not support:
        return False
    now = desk.clock()
    with desk.storage.write() as tx:
        wish = tx.links.ask(LinkRequest(new_id("link"), person, store, channel, now), now)
        message = Message.in_channel(request_key(wish.id), REQUEST, support, {"request": wish.id}, now)
        tx.outbox.put(replace(message, run_after=now + EARLIEST + SPREAD * random()))
    desk.wake()
    return True


def meant(tx: Transaction, request: LinkRequest) -> str | None:
    """Return the id of the store that was asked for, by its id or a domain name of it; None if there is none.

    In a workspace of its own there are only the stores that are linked to it.
    """
    store = request.store if tx.stores.get(request.store) is not None else _with_domain(tx, request.store)
    team = place(request.channel)[0]
    here = team == HOME or any(link.store == store for link in tx.links.of(Kind.WORKSPACE, team))
    return store if here else None


def _with_domain(tx: Transaction, given: str) -> str | None:
    """Return the id of the store that has the domain name ``given``, or what that is the ``www.`` of; None if none has."""
    try:
        found = [tx.stores.domain(one) for one in counts_as(naming.parse(given))]
    except InvalidNameError:
        return None
    return next((one.store for one in found if one is not None), None)


def expire(desk: Desk) -> int:
    """Close the requests that have run out, so that their messages say so; return how many. Safe in several processes at once."""
    now = desk.clock()
    with desk.storage.write() as tx:
        closed = tx.links.expire(now, MOST_CLOSED)
        for request in closed:
            message = tx.outbox.by_key(request_key(request.id))
            if message is not None:
                tx.outbox.put(replace(message, run_after=now))
    return len(closed)


def support_channel(policy: Alerting) -> str:
    """Return the channel in which support sees requests; empty if there is none."""
    return policy.support_channel or policy.channel


def decide(desk: Desk, request: str, by: str, *, approved: bool) -> Decided:
    """Approve or decline an open request as ``by`` (TEAM/USER); its message then says so.

    The asker is told of an approval. A declined request is as silent as one for a store that does not exist: an answer
    would prove that it does. Raises NotFoundError if the store is not known (any more), or not in the asker's workspace.
    """
    now = desk.clock()
    with desk.storage.write() as tx:
        decided = tx.links.decide(request, by, now, approved=approved)
        known = decided or tx.links.request(request)
        if known is not None:  # the message shows what came of it, also to who clicked too late
            shown = {"request": known.id}
            key, channel = request_key(known.id), support_channel(desk.alerting)
            tx.outbox.put(Message.in_channel(key, REQUEST, channel, shown, now))
        if decided is not None and approved:
            store = meant(tx, decided)
            if store is None:  # an answer would tell of it where it is not known any more
                raise NotFoundError(_nowhere(decided))
            tx.links.put(Link(Kind.PERSON, decided.person, store, by, now))
            tx.outbox.put(_answer(decided, now))
            tx.outbox.touch(home.of_person(decided.person), now)
    desk.wake()
    return Decided(done=decided is not None, text=_said(known, done=decided is not None))


def _nowhere(request: LinkRequest) -> Text:
    """Return why a request cannot be approved whose store is not known where it was asked for."""
    team, _ = place(request.channel)
    if team == HOME:
        return say("There is no store {store}. Nothing was changed.", store=request.store)
    return say(
        "The workspace {team} is not linked to the store {store} (any more), so nothing was changed. If it is to be, link it"
        " first: {command}",
        team=team,
        store=request.store,
        command=f"/ssl link workspace {team} {request.store}",
    )


def answered(tx: Transaction, request: LinkRequest) -> str:
    """Return the store whose link the asker is told of; empty if they do not see it any more."""
    store = meant(tx, request)
    theirs = tx.links.of(Kind.PERSON, request.person)
    return store if store is not None and any(one.store == store for one in theirs) else ""


def _said(request: LinkRequest | None, *, done: bool) -> Text:
    if request is None:
        return say("certdesk does not know this request. Nothing was changed.")
    if done:
        return say("Approved.") if request.approved else say("Declined.")
    if not request.decided_by:
        return say("This request has run out. Nothing was changed; the merchant can ask again.")
    who = say("{person}", person=user_of(request.decided_by))
    text = (
        "{who} has approved this already. Nothing was changed."
        if request.approved
        else "{who} has declined this already. Nothing was changed."
    )
    return say(text, who=who)


def link(desk: Desk, kind: Kind, who: str, store: str, by: str) -> Linked:
    """Link ``who`` (a person as TEAM/USER, or a channel's id) to the store; a channel's former link is replaced.

    Raises NotFoundError if there is no such store, or certdesk is not in that workspace.
    """
    with desk.storage.write() as tx:
        return put(tx, Link(kind, who, store, by, desk.clock()))


def put(tx: Transaction, made: Link) -> Linked:
    """Make a link in a transaction; as `link`."""
    if tx.stores.get(made.store) is None:
        raise NotFoundError(say("There is no store {store}. Nothing was changed.", store=made.store))
    if made.kind is Kind.WORKSPACE and tx.workspaces.get(made.who) is None:
        raise NotFoundError(no_workspace(made.who))
    before = replaced(tx, made.kind, made.who, made.store)
    new = tx.links.put(made)
    # it was chosen for the other store's people
    spoken = new and bool(before) and tx.languages.drop(made.who)
    tx.outbox.touch(home.of_links(made.kind, made.who), made.at)
    return Linked(new, before, language_dropped=spoken)


def replaced(tx: Transaction, kind: Kind, who: str, store: str) -> str:
    """Return the store whose link a link to ``store`` takes back: that of a channel to another one; empty: none."""
    former = tx.links.of(kind, who) if kind is Kind.CHANNEL else ()
    return next((one.store for one in former if one.store != store), "")


def no_workspace(team: str) -> Text:
    """Return what is said of a workspace in which certdesk is not, and never was."""
    return say(
        "certdesk is not installed in the workspace {team}, so nothing was changed. Whoever runs that workspace opens {page}"
        " at certdesk's own address and agrees; support is told once it is there, and can link it then.",
        team=team,
        page="/slack/install",
    )


def tell_in(desk: Desk, team: str, channel: str) -> str:
    """Choose the channel (C…; empty: none) in which a workspace is told what its merchants have to do; return the former one.

    Raises NotFoundError if certdesk was never in that workspace.
    """
    with desk.storage.write() as tx:
        before = tx.workspaces.tell_in(team, channel)
        if before is None:
            raise NotFoundError(no_workspace(team))
        if before.alert_channel not in ("", channel):
            tx.outbox.touch(home.of_channel(placed(team, before.alert_channel)), desk.clock())
    return before.alert_channel


def unlink(desk: Desk, kind: Kind, who: str, store: str) -> bool:
    """Take a link back; False if there was none."""
    with desk.storage.write() as tx:
        return take_back(tx, kind, who, store, desk.clock())


def take_back(tx: Transaction, kind: Kind, who: str, store: str, now: datetime) -> bool:
    """Take a link back, with a language that was chosen for the channel, and let the person's Home be made anew.

    With a workspace's go those of its channels: they would go on being told of the store. False if there was none.
    """
    tx.outbox.touch(home.of_links(kind, who), now)
    if kind is Kind.WORKSPACE:
        for channel in channels_in(tx, who, store):
            take_back(tx, Kind.CHANNEL, channel, store, now)
    gone = tx.links.drop(kind, who, store)
    if gone and kind is Kind.CHANNEL:
        tx.languages.drop(who)
    return gone


def channels_in(tx: Transaction, team: str, store: str) -> tuple[str, ...]:
    """Return the channels of a workspace that are linked to the store."""
    links = (link for link in tx.links.to(store) if link.kind is Kind.CHANNEL)
    return tuple(link.who for link in links if place(link.who)[0] == team)


def links_of(desk: Desk, store: str) -> tuple[Link, ...]:
    """Return who is linked to the store: channels first, then people."""
    with desk.storage.read() as tx:
        return tuple(tx.links.to(store))


def linked_to(desk: Desk, kind: Kind, who: str) -> tuple[Link, ...]:
    """Return what a person (TEAM/USER) or a channel is linked to, sorted by store."""
    with desk.storage.read() as tx:
        return tuple(tx.links.of(kind, who))


def _answer(request: LinkRequest, now: datetime) -> Message:
    key, body = f"link_answer:{request.id}", {"request": request.id}
    message = Message.in_channel(key, ANSWER, request.channel, body, now)
    return replace(message, user=user_of(request.person), private=True)
