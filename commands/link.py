"""/ssl link: a merchant asks to be linked to a store; support links a person or a channel to one; of a channel that has one once it is confirmed."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from commands import confirming, pasted, views
from commands.audience import audience, warned
from commands.caller import Action
from commands.command import Call, Command, Narrower, UsageError, arguments
from commands.help import no_access
from commands.mentions import Mentioned, joined, meant_as_one, mentioned
from commands.persons import person
from commands.proposable import Proposable, Question
from commands.reply import Hint, Outcome, Paragraph, Part, Reply, Tone
from services import linking, naming
from services.desk import Desk
from services.model.audiences import LASTS, Kind, Link
from services.model.errors import CertdeskError, InvalidNameError
from services.model.proposals import Decider, Proposal
from services.model.text import Text, say
from services.ports import Transaction

_STORE = re.compile(r"[^\W_][\w.-]{0,63}")
"""What the id of a store looks like, as `services.registry.rows` takes it."""


def run(call: Call) -> Outcome:
    """Ask for a link to STORE, or link a person or a channel to it."""
    words = joined(arguments(call, values=(), stores=True).words)
    if len(words) > 1 or any(meant_as_one(word) for word in words):
        return _link(call, words) if call.caller.may(Action.LINK) else no_access(call.caller, Action.LINK)
    if not words:
        raise UsageError(say("The store is missing."))
    return _ask(call, store_in(pasted.meant(words[0], call.desk, call.caller)))


# --- asking --------------------------------------------------------------------------------------------------------


def _ask(call: Call, store: str) -> Outcome:
    """Take the request. The answer is the same whether there is such a store or not."""
    caller = call.caller
    if caller.stores is None:
        return _needless(call)
    if caller.sees(store):
        headline = say("You are linked to the store {store} already", store=store)
        look = Hint(say("To see its certificates, type: {command}", command=views.typed("status", store)))
        return _answer(Tone.GOOD, headline, look, store=store)
    if not linking.ask(call.desk, caller.person, store, call.channel):
        text = (
            "Nobody would see your request: certdesk has no channel for support yet. Nothing was done; ask the platform's"
            " support directly."
        )
        raise CertdeskError(say(text))
    headline = say("Your request for the store {store} is taken", store=store)
    said = say(
        "If there is such a store, support decides, and you are told by direct message once you are linked. If you hear"
        " nothing within {days} days, you are not: check the store's id and ask again, or ask the platform's support.",
        days=LASTS.days,
    )
    return _answer(Tone.PROGRESS, headline, Hint(said), store=store)


def _needless(call: Call) -> Outcome:
    headline = say("You see every store already: you need no link")
    hints: tuple[Part, ...] = ()
    if call.caller.may(Action.LINK):
        how = say("To link somebody else, or a channel, type: {command}", command="/ssl link @user STORE")
        hints = (Hint(how),)
    return _answer(Tone.INFO, headline, *hints)


# --- linking -------------------------------------------------------------------------------------------------------


def _link(call: Call, words: tuple[str, ...]) -> Outcome:
    who, store = named(call, words)
    key = resolved(call, who)
    with call.desk.storage.read() as tx:
        known = tx.stores.get(store) is not None
        before = linking.replaced(tx, who.kind, key, store)
    heard = audience(key, store, call.rooms) if known and who.kind is Kind.CHANNEL else ""
    if known and before:
        what = {"who": key, "store": store, "before": before, "audience": heard}
        return confirming.ask(call, PROPOSABLE, what, store, before, private=True)
    linked = linking.link(call.desk, who.kind, key, store, call.caller.person)
    return _made(who, key, store, linked, heard)


def _made(who: Mentioned, key: str, store: str, linked: linking.Linked, heard: str = "") -> Outcome:
    subject = f"{key} {store}"
    if not linked.new:
        headline = say("This link is there already: {who} and the store {store}", who=shown(who), store=store)
        return _answer(Tone.GOOD, headline, *warned(heard), store=store, subject=subject)
    if who.kind is Kind.PERSON:
        headline = say("{who} is linked to the store {store} now", who=shown(who), store=store)
        hint = say("They see its certificates, and can add and renew them, from now on.")
        return _answer(Tone.GOOD, headline, Hint(hint), store=store, subject=subject)
    if who.kind is Kind.WORKSPACE:
        headline = say("The workspace {who} is linked to the store {store} now", who=shown(who), store=store)
        hint = say(
            "People there see the store once they are linked to it as well: they ask with {command}, and you decide.",
            command=f"/ssl link {store}",
        )
        return _answer(Tone.GOOD, headline, Hint(hint), store=store, subject=subject)
    headline = say("The channel {who} is linked to the store {store} now", who=shown(who), store=store)
    means = say("There, commands without {option} mean this store.", option="--store")
    hints = (Hint(means), *_before(linked), *warned(heard))
    return _answer(Tone.WARN if heard else Tone.GOOD, headline, *hints, store=store, subject=subject)


def _before(linked: linking.Linked) -> tuple[Part, ...]:
    if not linked.before:
        return ()
    until = Hint(say("Until now it was linked to the store {store}.", store=linked.before))
    spoken = say("The language that was chosen there is taken back: certdesk speaks that of the store.")
    return (until, Hint(spoken)) if linked.language_dropped else (until,)


# --- a channel that is linked already: that link is taken back -------------------------------------------------------


def _question(_desk: Desk, proposal: Proposal) -> Question:
    what = proposal.what
    channel = say("{room}", room=what["who"])
    title = say(
        "Link the channel {who} to the store {store}, and no longer to {before}?",
        who=channel,
        store=what["store"],
        before=what["before"],
    )
    comes = say(
        "Commands there no longer mean the store {before}, its merchants are no longer told there what they have to do, and a"
        " language that was chosen there is taken back. Nothing happens to the certificates.",
        before=what["before"],
    )
    return Question(title, (Paragraph(comes), *warned(str(what.get("audience", "")))), say("Link"))


def _perform(_desk: Desk, tx: Transaction, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    what = proposal.what
    made = Link(Kind.CHANNEL, str(what["who"]), str(what["store"]), proposal.person, now)
    return asdict(linking.put(tx, made))


def _replaced(_desk: Desk, proposal: Proposal) -> Outcome:
    key, store = str(proposal.what["who"]), str(proposal.what["store"])
    heard = str(proposal.what.get("audience", ""))
    return _made(Mentioned(Kind.CHANNEL, key), key, store, linking.Linked(**proposal.result), heard)


PROPOSABLE = Proposable(
    name="link",
    right=Action.LINK,
    decider=Decider.SELF,
    question=_question,
    perform=_perform,
    outcome=_replaced,
    subject=lambda proposal: f"{proposal.what['who']} {proposal.what['store']}",
    danger=False,
)


# --- what link, unlink and links have in common ----------------------------------------------------------------------


def named(call: Call, words: tuple[str, ...]) -> tuple[Mentioned, str]:
    """Return whom and which store the two words name. Raises UsageError if they do not."""
    if len(words) > 2:
        raise UsageError(say("This takes a person or a channel, and one store."))
    who = mentioned(words[0]) if words else None
    if words and who is None:
        raise UsageError(
            say(
                "{word} is no person and no channel that certdesk can read. Choose one from the list that Slack shows when"
                " you type {at} or {hash}, or give the id.",
                word=views.clipped(words[0]),
                at="@",
                hash="#",
            )
        )
    if who is None:
        raise UsageError(say("The person or the channel is missing, and the store."))
    if len(words) < 2:
        raise UsageError(say("The store is missing."))
    return who, store_in(pasted.meant(words[1], call.desk, call.caller))


def store_in(word: str) -> str:
    """Return the store's id that ``word`` is, or else the domain name. Raises UsageError if it is neither, whatever stores there are."""
    if _STORE.fullmatch(word) is not None:
        return word
    try:
        return naming.parse(word)
    except InvalidNameError:
        raise UsageError(say("{word} cannot be the id of a store.", word=views.clipped(word))) from None


def resolved(call: Call, who: Mentioned) -> str:
    """Return a channel's or a workspace's id, or a person as TEAM/USER. Raises CertdeskError if nobody knows the person's workspace."""
    if who.kind is not Kind.PERSON:
        return who.id
    found = f"{who.team}/{who.id}" if who.team else call.people(who.id)
    if found is None:
        text = (
            "Slack does not tell who {user} is, or cannot be asked just now. Nothing was changed; try again in a minute,"
            " or give the workspace as well: {form}."
        )
        raise CertdeskError(say(text, user=who.id, form="TEAM/USER"))
    return found


def shown(who: Mentioned) -> Text:
    """Return a person or a channel as Slack shows one by name, or the id of a workspace."""
    if who.kind is Kind.CHANNEL:
        return say("{room}", room=who.id)
    return person(who.id) if who.kind is Kind.PERSON else say("{id}", id=who.id)


def _answer(tone: Tone, headline: Text, *parts: Part, store: str = "", subject: str = "") -> Outcome:
    data = {"message": headline.plain()} | ({"store": store} if store else {})
    return Outcome(Reply(tone, headline, parts, private=True), data=data, subject=subject or store)


COMMAND = Command(
    name="link",
    action=Action.ASK_LINK,
    summary=say(
        "Ask to be linked to your store; for support: link a person, a channel or a workspace to a store"
    ),
    usage="/ssl link [@user | #channel | workspace TEAM] STORE",
    narrower=Narrower(Action.LINK, "/ssl link STORE"),
    example="/ssl link my-store",
    run=run,
    changes=True,
)
