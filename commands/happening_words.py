"""What has happened to a certificate, in the words of its history, as far as the reader may know it. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from commands import persons
from commands.caller import Caller
from services.chronicle import ALERTED
from services.model.audit import ITSELF
from services.model.certificates import Happening
from services.model.text import Item, Text, Value, say
from services.recalling.noting import RECALLED

WORDS: Mapping[str, Text] = {
    "added": say("Name added"),
    "removed": say("Name removed"),
    "asked": say("Asked for by a person"),
    "renewal_due": say("Renewal began by itself"),
    "retry_due": say("Next attempt began"),
    "checks_passed": say("Checks passed"),
    "checks_blocked": say("Checks found something in the way"),
    "csr_made": say("Key and CSR made"),
    "order_placed": say("Order placed at the CA"),
    "order_lost": say("The CA no longer knew the order"),
    "challenges_answered": say("Challenges answered"),
    "route_failed": say("One CA could not be used; the next one is tried"),
    "challenge_type_failed": say("Challenge failed; the next way is tried"),
    "validated": say("Control of the names proved"),
    "finalized": say("CSR sent to the CA"),
    "issued": say("Certificate issued"),
    "deployed": say("Certificate written to every target"),
    "deployed_in_part": say("Certificate written to some targets; the others are tried on"),
    "delivered": say("Certificate written to the targets that lacked it"),
    "verified": say("Installed, and seen at the edge"),
    "nothing_to_gain": say("Nothing new could be had now; the installed certificate stays"),
    "fault": say("A step failed for certdesk's own reasons and is repeated"),
    "unproved": say("Certificate installed, but not seen at the edge yet"),
    "postponed": say("Put off until it can succeed"),
    "checked": say("Checked ahead of renewal"),
    "evidence": say("Evidence of a fix"),
    ALERTED: say("Part of an alert"),
    "told": say("People were told, in the channel"),
    "alert_acknowledged": say("Alert acknowledged"),
    "alert_snoozed": say("Alert snoozed"),
    "alert_handed_over": say("Alert handed to support"),
    "cleared": say("No longer part of the alert about"),
    "attempt_failed": say("Attempt failed"),
    "key_barred": say("The key must not be used; a new one is made"),
    "rolled_back": say("Rolled back to the certificate before"),
    "rollback_approved": say("Roll-back approved"),
    "rollback_called_off": say("Roll-back called off"),
    "taken_off": say("Taken off a target: expired, and wanted no more"),
    RECALLED: say("To be replaced for the CA; it waits for its turn"),
    "revocation_asked": say("Revocation begun"),
    "revoked": say("Revoked at the CA"),
    "handed_over": say("Handed over to support"),
}
"""What the stable names of happenings mean; a test holds it complete for the lifecycle's events."""


INTERNAL = frozenset({ALERTED, "told", "cleared", "alert_acknowledged", "alert_snoozed", "alert_handed_over"})
"""What only the platform's own people are shown."""


def visible(row: Happening, caller: Caller) -> bool:
    """Tell whether the row is any of the reader's business: alerts are for the platform's own people."""
    return not (caller.limited and row.what in INTERNAL)


def line(row: Happening, caller: Caller) -> Text:
    """Return the row as a line of the history."""
    what, said = WORDS.get(row.what) or say("{what}", what=row.what), details(row, caller)
    if row.actor == ITSELF:
        return say("{what}: {details}", what=what, details=said) if said else what
    actor = persons.known(row.actor, caller)
    if not said:
        return say("{what} (by {actor})", what=what, actor=actor)
    return say("{what}: {details} (by {actor})", what=what, details=said, actor=actor)


def details(row: Happening, caller: Caller) -> Item:
    """Return the details; addresses such as an order's are for the platform's own people, who can ask the CA."""
    return _without_addresses(row.details) if caller.limited else row.details


def _without_addresses(said: Item) -> Item:
    if isinstance(said, Text):
        return replace(said, values=tuple((gap, _bare(value)) for gap, value in said.values))
    return " ".join(word for word in said.split() if "://" not in word)


def _bare(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(_without_addresses(item) for item in value)
    return _without_addresses(value) if isinstance(value, str | Text) else value
