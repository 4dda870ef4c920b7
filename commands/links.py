"""/ssl links: who is linked to a store, and what a person or a channel is linked to."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from commands import naming, pasted, views
from commands.caller import Action, Caller
from commands.command import Call, Command, Narrower, UsageError, arguments
from commands.help import no_access
from commands.link import resolved, shown
from commands.mentions import Mentioned, joined, meant_as_one, mentioned
from commands.persons import person
from commands.reply import Fields, Hint, Outcome, Part, Reply, Tone
from services import linking
from services.model.audiences import Kind, Link
from services.model.clock import rfc3339
from services.model.errors import CertdeskError
from services.model.text import Text, say

MOST_STORES = 50
"""Of so many stores of a caller the links are shown at once."""


def run(call: Call) -> Outcome:
    """List the links to STORE, or of a person or channel; without a word those to the caller's own stores."""
    words = joined(arguments(call, values=(), stores=True).words)
    if len(words) == 1 and not meant_as_one(words[0]):
        words = (pasted.meant(words[0], call.desk, call.caller),)
    if len(words) > 1:
        raise UsageError(say("This takes one store, and {count} were given.", count=len(words)))
    if words and meant_as_one(words[0]):
        return _of(call, words[0])
    if words and not naming.is_own_store(words[0], call):
        return naming.unknown_store(words[0], call, {"links": []})
    return _to(call, _meant(call, words))


def _meant(call: Call, words: tuple[str, ...]) -> tuple[str, ...]:
    if words:
        return words
    if call.store is not None:
        return (call.store,)
    if call.caller.stores is None:
        raise UsageError(say("Name a store, a person or a channel: you may see all of them."))
    return tuple(sorted(call.caller.stores))[:MOST_STORES]


def _to(call: Call, stores: Sequence[str]) -> Outcome:
    links = tuple(one for store in stores for one in linking.links_of(call.desk, store))
    names = views.shortened(stores)
    if not links:
        return _answer(call, links, say("Nobody, and no channel, is linked to: {stores}", stores=names))
    return _answer(call, links, say("Linked to {stores}: {count}", stores=names, count=len(links)))


def _of(call: Call, word: str) -> Outcome:
    """List what a person or a channel is linked to: of any store, and so for those who see them all."""
    if not call.caller.may(Action.LINK):
        return no_access(call.caller, Action.LINK)
    who = mentioned(word)
    if who is None:
        raise UsageError(
            say("{word} is no person and no channel that certdesk can read.", word=views.clipped(word))
        )
    if who.kind is Kind.WORKSPACE and not _installed(call, who.id):
        raise CertdeskError(linking.no_workspace(who.id))
    links = linking.linked_to(call.desk, who.kind, resolved(call, who))
    text = "{who} is linked to: {count}" if links else "{who} is linked to no store"
    return _answer(call, links, say(text, who=shown(who), count=len(links)))


def _installed(call: Call, team: str) -> bool:
    """Tell whether certdesk is in the workspace, or was."""
    with call.desk.storage.read() as tx:
        return tx.workspaces.get(team) is not None


def _answer(call: Call, links: Sequence[Link], headline: Text) -> Outcome:
    parts: tuple[Part, ...] = (
        (Fields(tuple(_row(link, call.caller) for link in links[: views.MOST_ROWS])),) if links else ()
    )
    parts += views.more(len(links) - views.MOST_ROWS)
    if not call.caller.limited:
        there = "Links that stand in {file} under {key} are not shown here."
        parts += (Hint(say(there, file="app.yaml", key="slack.merchants")),)
    data = {"links": [_to_json(link, call.caller) for link in links]}
    return Outcome(Reply(Tone.INFO, headline, parts, private=True), data=data)


_LABELS: Mapping[Kind, Callable[[Text], Text]] = {
    Kind.PERSON: lambda who: say("Person {who}", who=who),
    Kind.CHANNEL: lambda who: say("Channel {who}", who=who),
    Kind.WORKSPACE: lambda who: say("Workspace {who}", who=who),
}


def _row(link: Link, caller: Caller) -> tuple[Text, Text]:
    who = shown(Mentioned(link.kind, linking.user_of(link.who) if link.kind is Kind.PERSON else link.who))
    label = _LABELS[link.kind](who)
    if caller.limited:  # which of the platform's people did it is not the merchant's business
        return label, say("{store}, since {at}", store=link.store, at=link.at)
    text = "{store}, since {at}, by {by}"
    return label, say(text, store=link.store, at=link.at, by=person(link.by))


def _to_json(link: Link, caller: Caller) -> dict[str, Any]:
    by = {} if caller.limited else {"by": link.by}
    return {"kind": link.kind.value, "who": link.who, "store": link.store, "at": rfc3339(link.at), **by}


COMMAND = Command(
    name="links",
    action=Action.LOOK,
    summary=say("Show which people and channels are linked to a store"),
    usage="/ssl links [STORE | @user | #channel | workspace TEAM]",
    narrower=Narrower(Action.LINK, "/ssl links [STORE]"),
    example="/ssl links my-store",
    run=run,
)
