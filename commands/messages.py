"""What a waiting message says when it is sent: one table of kind -> composer."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from commands import copying, scan_view, views
from commands.alerts import alert_message, note_message
from commands.approval_message import approval_message
from commands.command import Known
from commands.digest import digest_message
from commands.handover import handover_message, timeline_message
from commands.hearing import Rooms
from commands.link_requests import answer_message, request_message
from commands.losing import LOST, lost
from commands.overhearing import OVERHEARD, Ears, ears
from commands.progressing import progress
from commands.recall_view import recall_message
from commands.refusals import refused_in, refused_to_json
from commands.reply import Composed, Outcome
from commands.reply_json import reply_from_json, reply_to_json
from commands.workspace_endings import ENDING, ending_message
from commands.workspaces import NEWS, workspace_message
from services import approvals, linking
from services.alerting import merchants
from services.desk import Desk
from services.model.errors import CertdeskError
from services.model.identity import new_id
from services.model.text import say
from services.ports import Message
from services.recalling import noting
from services.scanning import sites

REPLY, PROGRESS = "reply", "progress"
ALERT, ALERT_NOTE = "alert", "alert_note"
HANDOVER, TIMELINE = "handover", "timeline"
DIGEST = "digest"


def compose(desk: Desk, message: Message, known: Known | None = None, rooms: Rooms | None = None) -> Composed:
    """Return what ``message`` says at this moment; ``known`` tells of whom it is about who they are now (None: nobody can).

    What is shown in private is shown no more to who no longer sees its stores; nor is anything told aloud where somebody reads
    who may not hear of them, as ``rooms`` say (None: nobody can): it is for who asked alone, or hidden. Raises CertdeskError for a kind that this
    certdesk does not know, and where Slack does not say who somebody is.
    """
    composer = COMPOSERS.get(message.kind)
    if composer is None:
        raise CertdeskError(
            say("There is no way to compose a message of the kind {kind}.", kind=message.kind)
        )
    if known is not None and lost(desk, message, known):
        return Composed(LOST, final=True)
    composed = composer(desk, message)
    whose = Ears.ALL if rooms is None else ears(desk, message, rooms)
    if whose is Ears.ASKER:
        return replace(composed, reply=replace(composed.reply, private=True))
    return replace(composed, reply=OVERHEARD) if whose is Ears.NOBODY else composed


def content(outcome: Outcome) -> tuple[str, dict[str, Any]]:
    """Return the kind and the body of the message that shows ``outcome``."""
    if outcome.proposal:
        return approvals.MESSAGE, {"proposal": outcome.proposal}
    if outcome.verb == scan_view.VERB:
        return scan_view.MESSAGE, scan_view.body(outcome)
    if not outcome.follows:
        return REPLY, reply_to_json(outcome.reply)
    refused = [refused_to_json(one) for one in outcome.refused]
    mine = {"mine": True} if outcome.mine else {}
    return PROGRESS, {"verb": outcome.verb, "names": list(outcome.names), "refused": refused, **mine}


def companion(message: Message) -> Message | None:
    """Return the message that goes with this one: a scan's files, which Slack takes in no edit; None if there is none.

    It stands in the thread of the other one. What is private stands by itself, because that may not be in a thread.
    """
    if message.kind != scan_view.MESSAGE:
        return None
    return replace(
        message,
        id=new_id("msg"),
        key=f"{message.key}:files",
        kind=scan_view.FILES,
        thread="" if message.private else message.key,
    )


def _reply(_desk: Desk, message: Message) -> Composed:
    return Composed(reply_from_json(message.body), final=True)


def _progress(desk: Desk, message: Message) -> Composed:
    body = message.body
    refused = refused_in(body)
    composed = progress(desk, body["verb"], body["names"], message.follows, refused)
    parts = views.yours(composed.reply.parts) if body.get("mine") else composed.reply.parts
    return replace(composed, reply=replace(composed.reply, parts=parts, private=message.private))


COMPOSERS: Mapping[str, Callable[[Desk, Message], Composed]] = {
    # a finished answer: the body is the reply
    REPLY: _reply,
    # the work on certificates: the body says what was asked, the rows of the certificates how far it is
    PROGRESS: _progress,
    # an alert, and a line of its thread
    ALERT: alert_message,
    ALERT_NOTE: note_message,
    # a certificate that needs a support agent, and in its thread all that has happened to it
    HANDOVER: handover_message,
    TIMELINE: timeline_message,
    # the day's or the week's summary: the body says what it was when it was put out
    DIGEST: digest_message,
    # what a merchant has to do: of an alert, as it stands, and as somebody has sent it
    merchants.ALERT: copying.alert_message,
    merchants.STEPS: copying.steps_message,
    # a request for a link as support sees it, and what the asker is told once it is approved
    linking.REQUEST: request_message,
    linking.ANSWER: answer_message,
    # another workspace: whether certdesk works there
    NEWS: workspace_message,
    # and whether it soon will not any more
    ENDING: ending_message,
    # a scan: how far it is and what it found; its files; and what a merchant has to mend
    scan_view.MESSAGE: scan_view.scan_message,
    scan_view.FILES: scan_view.files_message,
    sites.NEWS: scan_view.news_message,
    # what a CA wants replaced at once: the fleet's plan
    noting.KIND: recall_message,
    # what waits for a yes: the question, then what became of it
    approvals.MESSAGE: approval_message,
}
