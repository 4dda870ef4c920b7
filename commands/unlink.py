"""/ssl unlink: take back the link of a person or a channel to a store."""

from commands import views
from commands.caller import Action
from commands.command import Call, Command, arguments
from commands.link import named, resolved, shown
from commands.reply import Hint, Outcome, Reply, Tone
from services import linking
from services.model.text import say


def run(call: Call) -> Outcome:
    """Take the link back; exit code 1 if there is none."""
    who, store = named(arguments(call, values=()).words)
    key = resolved(call, who)
    gone = linking.unlink(call.desk, who.kind, key, store)
    text = (
        "The link of {who} to the store {store} is taken back"
        if gone
        else "{who} is not linked to the store {store}"
    )
    headline = say(text, who=shown(who), store=views.clipped(store))
    listed = say("To see who is linked to it, type: {command}", command=views.typed("links", store))
    hints = [Hint(listed)]
    if not gone:
        there = "Links that stand in {file} under {key} are taken back there."
        hints.append(Hint(say(there, file="app.yaml", key="slack.merchants")))
    reply = Reply(Tone.GOOD if gone else Tone.WARN, headline, tuple(hints), private=True)
    data = {"message": headline.plain(), "store": store}
    return Outcome(reply, exit_code=0 if gone else 1, data=data, subject=f"{key} {store}")


COMMAND = Command(
    name="unlink",
    action=Action.LINK,
    summary=say("Take back the link of a person or a channel to a store"),
    usage="/ssl unlink @user | #channel STORE",
    example="/ssl unlink C0123456789 my-store",
    run=run,
    changes=True,
)
