"""A revocation as people see it: what is revoked and why, how far it has come, and what takes its place. Pure but for what it reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from commands import views
from commands.endings import ending
from commands.following import Followed, followed_now
from commands.progress import plan
from commands.reply import Composed, Fields, Hint, Paragraph, Part, Reply, Tone
from services.desk import Desk
from services.model.certificates import Certificate
from services.model.clock import rfc3339
from services.model.lifecycle import State
from services.model.revoking import Reason, Revocation, Stage
from services.model.text import Text, Value, say

REASONS: Mapping[Reason, Text] = {
    Reason.KEY_COMPROMISE: say("the private key is, or may be, in wrong hands"),
    Reason.CESSATION: say("the names are not used any more"),
    Reason.SUPERSEDED: say("another certificate takes its place"),
    Reason.AFFILIATION_CHANGED: say("the names belong to somebody else now"),
    Reason.UNSPECIFIED: say("no reason is given"),
}
"""What each reason means; a test holds it complete."""


def revocation_view(desk: Desk, revocation_id: str) -> Composed:
    """Return how the revocation stands; final once it is done and nothing that was revoked is installed any more."""
    with desk.storage.read() as tx:
        found = tx.revocations.get(revocation_id)
        row = tx.certificates.get(found.certificate) if found is not None else None
        if found is None or row is None:
            return Composed(Reply(Tone.INFO, say("certdesk no longer knows this revocation")), final=True)
        one = followed_now(tx, row, (found.name,))
    owed = replacement_owed(found, row)
    parts = (_fields(found), *_how(found), *(_replacement(one) if owed else ()), *_after(found))
    return Composed(
        Reply(_tone(found, row, owed=owed), _title(found, owed=owed), parts),
        final=found.stage is Stage.DONE and not owed,
    )


def replacement_owed(found: Revocation, row: Certificate) -> bool:
    """Tell whether what is revoked, or is to be, is installed and another one is wanted in its place."""
    return row.installed == found.revision and row.state is not State.RETIRED and bool(row.wanted)


def _title(found: Revocation, *, owed: bool) -> Text:
    name = views.shown(found.name)
    if found.stage is Stage.REPLACING:
        return say("Getting a new certificate for {name} before the old one is revoked", name=name)
    if found.stage is Stage.REVOKING:
        return say("Revoking the certificate of {name}", name=name)
    if owed:
        return say("The certificate of {name} is revoked, and a new one is on its way", name=name)
    return say("The certificate of {name} is revoked", name=name)


def _tone(found: Revocation, row: Certificate, *, owed: bool) -> Tone:
    stuck = (owed and row.resting and row.state is not State.INSTALLED) or found.failures > 0
    if stuck:
        return Tone.WARN
    return Tone.GOOD if found.stage is Stage.DONE and not owed else Tone.PROGRESS


def _fields(found: Revocation) -> Fields:
    rows: list[tuple[Text, Value]] = [
        (say("Serial number"), found.serial),
        (say("CA"), found.ca),
        (
            say("Reason"),
            say("{reason}: {meaning}", reason=found.reason.value, meaning=REASONS[found.reason]),
        ),
    ]
    if found.done_at is not None:
        rows.append((say("Revoked on"), found.done_at))
    return Fields(tuple(rows))


_WAITS = say(
    "The old one stays valid and in use until the new one was seen to be served; then the CA is told."
)
_BARRED = say("The key is barred: certdesk never uses it again, in no request and on no target.")


def _how(found: Revocation) -> tuple[Part, ...]:
    if found.failures:
        text = say(
            "The CA has not revoked it yet: {error} certdesk asks again at {at}.",
            error=found.error,
            at=views.known(found.run_after),
        )
        return (Paragraph(text),)
    if found.stage is Stage.REPLACING:
        return (Paragraph(_WAITS),)
    if found.stage is not Stage.DONE:
        return ()
    if not found.told:
        return (Hint(say("{ca} had revoked it already.", ca=found.ca)),)
    if found.told != found.reason.value:
        values = {"ca": found.ca, "reason": found.reason.value, "told": found.told}
        return (Hint(say("{ca} does not take the reason {reason}; it was told {told}.", **values)),)
    return ()


def _replacement(one: Followed) -> tuple[Part, ...]:
    if one.certificate.state is State.INSTALLED:
        return ()
    return (plan(one.certificate, ""), *ending(one))


def _after(found: Revocation) -> tuple[Part, ...]:
    return (Hint(_BARRED),) if found.compromised else ()


def told(revocations: Sequence[Revocation]) -> tuple[Part, ...]:
    """Return a line for each revocation, newest first, as a status shows them."""
    return tuple(Hint(_line(one)) for one in revocations[: views.MOST_PROBLEMS])


def _line(one: Revocation) -> Text:
    values: dict[str, Value] = {"serial": one.serial, "reason": one.reason.value}
    if one.done_at is not None:
        return say("Serial {serial} was revoked on {at}: {reason}.", **values, at=one.done_at)
    if one.stage is Stage.REPLACING:
        return say("Serial {serial} is revoked as soon as a new one is served: {reason}.", **values)
    return say("Serial {serial} is being revoked: {reason}.", **values)


def as_json(one: Revocation) -> dict[str, Any]:
    """Return the revocation for machines (docs/json.md)."""
    return {
        "serial": one.serial,
        "ca": one.ca,
        "reason": one.reason.value,
        "stage": one.stage.value,
        "asked_at": rfc3339(one.created_at),
        "revoked_at": rfc3339(one.done_at),
        "error": one.error.plain() or None,
    }
