"""What the audit trail says of a name, in the words of its history: what was asked, decided and done, and by whom. Pure."""

from collections.abc import Callable, Mapping

from commands import views
from commands.caller import TERMINAL, Caller
from services import linking
from services.model.audit import Entry
from services.model.deeds import BULK_ADD, BULK_RENEW, EXPIRED, NO, YES, behind
from services.model.text import Item, Text, Value, say

ITSELF = "certdesk"
_COMMANDS: Mapping[str, str] = {"add many": "add", "renew many": "renew"}
"""Actions that are typed by another name; every other one without a dot is the command's own."""
_BUTTONS: Mapping[str, Text] = {
    "alert.renew": say("Renew now"),
    "alert.copy": say("Copy to merchant"),
    "certificate.retry": say("Try again"),
    "certificate.check": say("Check again"),
    "certificate.copy": say("Copy to merchant"),
    "store.copy": say("Copy to merchant"),
    "home.check": say("Check now"),
    "home.renew": say("Renew now"),
}
"""What stands on the buttons whose clicks tell of a name or a certificate."""
_DECIDED = frozenset({YES, NO, EXPIRED})
_VAIN = frozenset({NO, EXPIRED})


def visible(row: Entry, caller: Caller) -> bool:
    """Tell whether the reader may know of the row at all.

    A merchant is told what was done, or what they did or asked for themselves; not what others tried in vain, or only asked for.
    """
    if not caller.limited or caller.person in (row.actor, behind(row).asker):
        return True
    return row.result == "done" and row.action not in _VAIN


def line(row: Entry, caller: Caller) -> Text:
    """Return the row as a line of the history, for a reader to whom it is `visible`."""
    tell = _DEEDS.get(row.action) or _RESULTS.get(row.result, _other)
    return tell(row, caller)


def who(person: str, caller: Caller) -> Text:
    """Return the person as the reader may know them: in Slack by name. Which one of the platform's it was is told to no merchant."""
    if caller.limited and person not in (ITSELF, caller.person):
        return say("support")
    # another command may need the workspace: in a terminal there are no names
    return say("{person}", person=person if caller.person == TERMINAL.person else linking.user_of(person))


def _people(row: Entry, caller: Caller) -> dict[str, Value]:
    return {"who": who(row.actor, caller), "asker": who(behind(row).asker, caller)}


def _deed(row: Entry) -> Item:
    """Return what was done, as people know it: the command that they type, or what the button says."""
    action = row.action if row.action not in _DECIDED else _proposed(row)
    if action in _BUTTONS:
        return _BUTTONS[action]
    return action if "." in action else views.typed(_COMMANDS.get(action, action))


def _proposed(row: Entry) -> str:
    """Return the action of a decision's subject, which is ID ACTION NAMES: an action may be two words."""
    words = row.subject.split(" ")[1:]
    if not words:
        return ""
    two = " ".join(words[:2])
    return two if words[1:2] in (["many"], ["--cause"], ["--file"]) else words[0]


def _yes(row: Entry, caller: Caller) -> Text:
    if behind(row).asker == row.actor:
        return say("Confirmed: {deed} (by {who})", deed=_deed(row), who=who(row.actor, caller))
    return say("Approved: {deed} (by {who}, asked for by {asker})", deed=_deed(row), **_people(row, caller))


def _no(row: Entry, caller: Caller) -> Text:
    if behind(row).asker == row.actor:
        return say("Taken back: {deed} (by {who})", deed=_deed(row), who=who(row.actor, caller))
    return say("Rejected: {deed} (by {who}, asked for by {asker})", deed=_deed(row), **_people(row, caller))


def _expired(row: Entry, caller: Caller) -> Text:
    asker = who(behind(row).asker, caller)
    return say("Not approved in time: {deed} (asked for by {asker})", deed=_deed(row), asker=asker)


def _bulk(row: Entry, caller: Caller) -> Text:
    """Return what a job did for the name; who has resumed the job is behind it, and named where it was not the asker."""
    people = behind(row)
    asker, approver = who(people.asker, caller), who(people.approver or people.asker, caller)
    alone = people.approver in ("", people.asker)
    if row.result != "done":
        return say("Could not be begun in bulk (asked for by {asker})", asker=asker)
    if row.action == BULK_ADD and alone:
        return say("Certificate begun in bulk (asked for by {asker})", asker=asker)
    if row.action == BULK_ADD:
        return say(
            "Certificate begun in bulk (asked for by {asker}, approved by {who})",
            asker=asker,
            who=approver,
        )
    if alone:
        return say("Renewal begun in bulk (asked for by {asker})", asker=asker)
    return say("Renewal begun in bulk (asked for by {asker}, approved by {who})", asker=asker, who=approver)


def _done(row: Entry, caller: Caller) -> Text:
    approver = behind(row).approver
    if approver and approver != row.actor:
        return say(
            "Done: {deed} (asked for by {asker}, approved by {who})",
            deed=_deed(row),
            asker=who(row.actor, caller),
            who=who(approver, caller),
        )
    return say("Done: {deed} (by {who})", deed=_deed(row), who=who(row.actor, caller))


def _asked(row: Entry, caller: Caller) -> Text:
    return say("Asked for: {deed} (by {who})", deed=_deed(row), who=who(row.actor, caller))


def _refused(row: Entry, caller: Caller) -> Text:
    return say("Refused, for want of a right: {deed} (by {who})", deed=_deed(row), who=who(row.actor, caller))


def _failed(row: Entry, caller: Caller) -> Text:
    by = who(row.actor, caller)
    if caller.limited or not row.reason:
        return say("Tried without success: {deed} (by {who})", deed=_deed(row), who=by)
    return say(
        "Tried without success: {deed} (by {who}): {reason}", deed=_deed(row), who=by, reason=row.reason
    )


def _other(row: Entry, caller: Caller) -> Text:
    return say("{deed} (by {who})", deed=_deed(row), who=who(row.actor, caller))


_Tell = Callable[[Entry, Caller], Text]
_DEEDS: Mapping[str, _Tell] = {
    YES: _yes,
    NO: _no,
    EXPIRED: _expired,
    BULK_RENEW: _bulk,
    BULK_ADD: _bulk,
}
_RESULTS: Mapping[str, _Tell] = {"done": _done, "asked": _asked, "refused": _refused, "failed": _failed}
