"""/ssl unlink: take back the link of a person or a channel to a store, once it is confirmed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from commands import confirming, views
from commands.caller import Action
from commands.command import Call, Command, arguments
from commands.link import named, resolved, shown
from commands.mentions import Mentioned, joined
from commands.proposable import Proposable, Question
from commands.reply import Fields, Hint, Outcome, Paragraph, Part, Reply, Tone
from services import linking
from services.desk import Desk
from services.model.audiences import Kind
from services.model.proposals import Decider, Proposal
from services.model.text import Text, say
from services.ports import Transaction


def run(call: Call) -> Outcome:
    """Ask whether to take the link back; exit code 1 if there is none."""
    who, store = named(call, joined(arguments(call, values=(), stores=True).words))
    key = resolved(call, who)
    linked = any(link.store == store for link in linking.linked_to(call.desk, who.kind, key))
    if not linked:
        return _outcome(who.kind, key, store, gone=False)
    what = {"kind": who.kind.value, "who": key, "store": store}
    return confirming.ask(call, PROPOSABLE, what, store, private=True)


def _named(proposal: Proposal) -> tuple[Kind, str, str]:
    what = proposal.what
    return Kind(what["kind"]), str(what["who"]), str(what["store"])


def _shown(kind: Kind, key: str) -> Text:
    return shown(Mentioned(kind, linking.user_of(key) if kind is Kind.PERSON else key))


def _question(_desk: Desk, proposal: Proposal) -> Question:
    kind, key, store = _named(proposal)
    title = say("Take back the link of {who} to the store {store}?", who=_shown(kind, key), store=store)
    comes = say(
        "They no longer see the store's certificates, and can no longer add or renew any. Nothing happens to the"
        " certificates."
    )
    if kind is Kind.CHANNEL:
        comes = say(
            "Commands there no longer mean this store, and a language that was chosen there is taken back. Nothing happens to"
            " the certificates."
        )
    if kind is Kind.WORKSPACE:
        comes = say(
            "Nobody sees the store there any more, and no channel there is linked to it or told of it. Nothing happens to the"
            " certificates."
        )
    fields = Fields(((say("Link of"), _shown(kind, key)), (say("Store"), store)))
    return Question(title, (fields, Paragraph(comes)), say("Take back"))


def _perform(_desk: Desk, tx: Transaction, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    return {"gone": linking.take_back(tx, *_named(proposal), now)}


def _done(_desk: Desk, proposal: Proposal) -> Outcome:
    return _outcome(*_named(proposal), gone=bool(proposal.result.get("gone")))


def _outcome(kind: Kind, key: str, store: str, *, gone: bool) -> Outcome:
    who = _shown(kind, key)
    headline = (
        say("The link of {who} to the store {store} is taken back", who=who, store=views.clipped(store))
        if gone
        else say("{who} is not linked to the store {store}", who=who, store=views.clipped(store))
    )
    listed = say("To see who is linked to it, type: {command}", command=views.typed("links", store))
    hints: list[Part] = [Hint(listed)]
    if not gone:
        there = say(
            "Links that stand in {file} under {key} are taken back there.",
            file="app.yaml",
            key="slack.merchants",
        )
        hints.append(Hint(there))
    reply = Reply(Tone.GOOD if gone else Tone.WARN, headline, tuple(hints), private=True)
    data = {"message": headline.plain(), "store": store}
    return Outcome(reply, exit_code=0 if gone else 1, data=data, subject=f"{key} {store}")


PROPOSABLE = Proposable(
    name="unlink",
    right=Action.LINK,
    decider=Decider.SELF,
    question=_question,
    perform=_perform,
    outcome=_done,
    subject=lambda proposal: f"{proposal.what['who']} {proposal.what['store']}",
)

COMMAND = Command(
    name="unlink",
    action=Action.LINK,
    summary=say("Take back the link of a person or a channel to a store"),
    usage="/ssl unlink @user | #channel | workspace TEAM STORE",
    example="/ssl unlink C0123456789 my-store",
    run=run,
    changes=True,
)
