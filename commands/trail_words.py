"""What the audit trail says of a name, in the words of its history: what was asked, decided and done, and by whom. Pure."""

from collections.abc import Mapping

from commands import persons, views
from commands.caller import Caller
from commands.proposables import PROPOSABLES
from services.model.audit import ASKED, DONE, FAILED, REFUSED, Entry
from services.model.deeds import BULK_ADD, BULK_RENEW, EXPIRED, NO, YES, behind, proposed
from services.model.text import Item, Phrase, Text

_COMMANDS: Mapping[str, str] = {"add many": "add", "renew many": "renew"}
"""Actions that are typed by another name; every other one without a dot is the command's own."""
_BUTTONS: Mapping[str, Phrase] = {
    "alert.renew": Phrase("Renew now"),
    "alert.copy": Phrase("Copy to merchant"),
    "certificate.retry": Phrase("Try again"),
    "certificate.check": Phrase("Check again"),
    "certificate.copy": Phrase("Copy to merchant"),
    "store.copy": Phrase("Copy to merchant"),
    "home.check": Phrase("Check now"),
    "home.renew": Phrase("Renew now"),
}
"""What stands on the buttons whose clicks tell of a name or a certificate."""
_DECISIONS: Mapping[str, tuple[Phrase, Phrase]] = {
    YES: (
        Phrase("Confirmed: {deed} (by {who})"),
        Phrase("Approved: {deed} (by {who}, asked for by {asker})"),
    ),
    NO: (
        Phrase("Taken back: {deed} (by {who})"),
        Phrase("Rejected: {deed} (by {who}, asked for by {asker})"),
    ),
    EXPIRED: (Phrase("Not approved in time: {deed} (asked for by {asker})"),) * 2,
}
"""What became of a proposal: by who asked, and by another one."""
_BULK: Mapping[str, tuple[Phrase, Phrase]] = {
    BULK_ADD: (
        Phrase("Certificate begun in bulk (asked for by {asker})"),
        Phrase("Certificate begun in bulk (asked for by {asker}, approved by {who})"),
    ),
    BULK_RENEW: (
        Phrase("Renewal begun in bulk (asked for by {asker})"),
        Phrase("Renewal begun in bulk (asked for by {asker}, approved by {who})"),
    ),
}
"""What a job began: by one person, and by two. Who has resumed it is behind it, and not named."""
_NOT_BEGUN = Phrase("Could not be begun in bulk (asked for by {asker})")
_RESULTS: Mapping[str, tuple[Phrase, Phrase]] = {
    DONE: (
        Phrase("Done: {deed} (by {who})"),
        Phrase("Done: {deed} (asked for by {asker}, approved by {who})"),
    ),
    ASKED: (Phrase("Asked for: {deed} (by {who})"),) * 2,
    REFUSED: (Phrase("Refused, for want of a right: {deed} (by {who})"),) * 2,
    FAILED: (Phrase("Tried without success: {deed} (by {who})"),) * 2,
}
"""Everything else: by one person, and by two."""
_FAILED_WHY = Phrase("Tried without success: {deed} (by {who}): {reason}")
_OTHER = (Phrase("{deed} (by {who})"),) * 2


def visible(row: Entry, caller: Caller) -> bool:
    """Tell whether the reader may know of the row at all.

    A merchant is told what was done, or what they did or asked for themselves; not what others tried in vain, or only asked for.
    """
    if not caller.limited or caller.person in (row.actor, behind(row).asker):
        return True
    return row.result == DONE and row.action not in (NO, EXPIRED)


def line(row: Entry, caller: Caller) -> Text:
    """Return the row as a line of the history, for a reader to whom it is `visible`."""
    people, phrase = behind(row), _phrase(row, caller)
    values: Mapping[str, Item] = {
        "deed": _deed(row),
        "who": persons.known(people.approver or row.actor, caller),
        "asker": persons.known(people.asker, caller),
        "reason": row.reason,
    }
    # what a sentence does not say does not travel with it
    return phrase.said(**{gap: value for gap, value in values.items() if f"{{{gap}}}" in phrase})


def _phrase(row: Entry, caller: Caller) -> Phrase:
    if row.action in _BULK and row.result != DONE:
        return _NOT_BEGUN
    if row.result == FAILED and row.reason and not caller.limited:
        return _FAILED_WHY
    alone, two = _DECISIONS.get(row.action) or _BULK.get(row.action) or _RESULTS.get(row.result) or _OTHER
    return two if behind(row).two else alone


def _deed(row: Entry) -> Item:
    """Return what was done, as people know it: the command that they type, or what the button says."""
    action = proposed(row, PROPOSABLES) if row.action in _DECISIONS else row.action
    if action in _BUTTONS:
        return _BUTTONS[action].said()
    return action if "." in action else views.typed(_COMMANDS.get(action, action))
