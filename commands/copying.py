"""Copy to merchant: what a merchant has to do, sent to the channels of their store by a button; and as they see it there."""

from collections.abc import Mapping, Sequence

from commands import views
from commands.caller import Action
from commands.command import Call
from commands.reply import Button, Composed, Hint, Outcome, Paragraph, Part, Reply, Steps, Tone
from commands.steps import steps
from services import overview
from services.alerting import merchants
from services.alerting.hasten import certificates_of
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.findings import Finding
from services.model.text import Text, from_json, say
from services.ports import Message

ALERT, CERTIFICATE, NAME = "alert.copy", "certificate.copy", "store.copy"
"""Actions: of an alert, of a certificate that was handed over, of a name that was checked."""
MOST_VALUE = 150
"""Characters of a button's value."""


def button(action: str, value: str) -> Button:
    """Return the button that sends it."""
    sure = say("Send what the merchant has to do to the channels of their store? Everybody there sees it.")
    return Button(action, value, say("Copy to merchant"), confirm=sure)


def name_button(name: str) -> tuple[Button, ...]:
    """Return the button for one name; nothing for one that is too long for a button."""
    return (button(NAME, name),) if len(name) <= MOST_VALUE else ()


# --- the clicks ------------------------------------------------------------------------------------------------------


def copy_alert(call: Call) -> Outcome:
    """Send each store of an alert what it has to do about it, and nothing of the others."""
    with call.desk.storage.read() as tx:
        alert = tx.alerts.get(call.words[0]) if call.words else None
        if alert is None:
            raise _gone()
        members = tx.alerts.members(alert.key, merchants.MOST_CERTIFICATES) if alert.open else ()
        found = merchants.findings_for(tx, certificates_of(members), alert.code)
    return _sent(call, found)


def copy_certificate(call: Call) -> Outcome:
    """Send the store of a certificate what its merchant has to do, by what was found last."""
    with call.desk.storage.read() as tx:
        found = merchants.findings_for(tx, call.words[:1])
        if not call.words or not tx.certificates.get_many(call.words[:1]):
            raise _gone()
    return _sent(call, found)


def copy_name(call: Call) -> Outcome:
    """Check a name anew and send its store what its merchant has to do."""
    if not call.words:
        raise _gone()
    status = overview.check(call.desk, call.words[0], visible=call.caller.sight(Action.TELL))
    if status.store is None:
        raise _gone()
    mine = merchants.todo(status.findings)
    return _sent(call, {status.store: mine} if mine else {})


def _gone() -> CertdeskError:
    return CertdeskError(say("certdesk no longer knows what this is about. Nothing was sent."))


def _may(call: Call, store: str) -> bool:
    return call.caller.may_to(Action.TELL, store)


def _sent(call: Call, found: Mapping[str, Sequence[Finding]]) -> Outcome:
    found = {store: some for store, some in found.items() if _may(call, store)}
    if not found:
        title = say("There is nothing that a merchant has to do about this now; nothing was sent")
        return _told(Tone.WARN, title, subject=" ".join(call.words), failed=True)
    platform, now = call.desk.platform, call.desk.clock()
    with call.desk.storage.write() as tx:
        reached = {
            store: merchants.put_steps(
                tx, store, [(one.summary, steps(one, platform)) for one in some], call.request, now
            )
            for store, some in found.items()
        }
    call.desk.wake()
    return _answer(call, reached, found)


def _answer(call: Call, reached: Mapping[str, int], found: Mapping[str, Sequence[Finding]]) -> Outcome:
    told = [store for store, channels in reached.items() if channels]
    untold = [store for store, channels in reached.items() if not channels]
    names = dict.fromkeys(one.name for store in told or untold for one in found[store])
    subject = " ".join((*call.words, *(told or untold), *names))
    hints = _unlinked(untold)
    if not told:
        title = say("Nobody was told: no channel is linked to {stores}", stores=views.shortened(untold))
        return _told(Tone.WARN, title, *hints, subject=subject, failed=True)
    title = say(
        "What the merchant has to do is on its way to the channels of: {stores}", stores=views.shortened(told)
    )
    return _told(Tone.GOOD, title, *hints, subject=subject)


def _unlinked(stores: Sequence[str]) -> tuple[Hint, ...]:
    if not stores:
        return ()
    text = "{stores} has no channel. It is support's move: {command} links one; then click again."
    command = views.typed("link", "#channel", stores[0] if len(stores) == 1 else "STORE")
    return (Hint(say(text, stores=views.shortened(stores), command=command)),)


def _told(tone: Tone, title: Text, *parts: Part, subject: str, failed: bool = False) -> Outcome:
    return Outcome(Reply(tone, title, parts, private=True), exit_code=int(failed), subject=subject)


# --- as the merchant sees it -----------------------------------------------------------------------------------------


def steps_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``merchant_steps``, body {"store", "steps": [[what was found, [lines to copy]]]}: it stays as it is."""
    done = [(from_json(found), tuple(map(from_json, lines))) for found, lines in message.body["steps"]]
    with desk.storage.read() as tx:
        linked = merchants.linked(tx, message.owed_to, str(message.body["store"]))
    return Composed(_reply(done), final=True) if linked else elsewhere(message)


def alert_message(desk: Desk, message: Message) -> Composed:
    """Compose kind ``merchant_alert``, body {"alert": id, "store": id}: of the store alone, as things stand.

    A channel that has become another store's is told nothing any more.
    """
    store = str(message.body["store"])
    with desk.storage.read() as tx:
        alert = tx.alerts.get(str(message.body["alert"]))
        if alert is None or not merchants.linked(tx, message.owed_to, store):
            return elsewhere(message)
        members = [
            one for one in tx.alerts.members(alert.key, merchants.MOST_CERTIFICATES) if one.store == store
        ]
        found = merchants.findings_for(tx, certificates_of(members), alert.code).get(store, ())
    if not alert.open or not found:
        return Composed(DONE, final=not alert.open)
    return Composed(_reply([(one.summary, steps(one, desk.platform)) for one in found]), final=False)


ELSEWHERE = Reply(Tone.INFO, say("This is not for this channel any more, and is not shown here"))


def elsewhere(message: Message) -> Composed:
    """Return what stands where a channel is no longer the store's; one that was told nothing yet is told nothing.

    Whoever reads there now need not learn that another store was to be told anything.
    """
    return Composed(ELSEWHERE, final=True, quiet=not message.ts)


DONE = Reply(
    Tone.GOOD,
    say("Thank you: this is mended, and there is nothing left for you to do"),
    (Paragraph(say("Your certificates go on renewing by themselves.")),),
)


def _reply(found: Sequence[tuple[Text, Sequence[Text]]]) -> Reply:
    shown = found[: views.MOST_PROBLEMS]
    parts: list[Part] = []
    for what, lines in shown:
        parts += [Paragraph(what), Steps(tuple(lines))]
    parts += views.more(len(found) - len(shown))
    parts.append(
        Hint(
            say(
                "It is your move: until this is done, the certificate cannot be issued or renewed. certdesk sees it by itself once it is"
                " done, and goes on; nothing has to be typed."
            )
        )
    )
    return Reply(Tone.WARN, say("Please do this, so that your shop stays secure"), tuple(parts))
