"""Certificates, revisions and history: rows to dataclasses and back."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from services.model import text
from services.model.certificates import (
    Attempt,
    Certificate,
    Happening,
    Placement,
    Revision,
    Rollback,
    Window,
)
from services.model.clock import aware
from services.model.lifecycle import State
from services.model.text import NOTHING, Item, Text, say
from storage.records.coding import Values, decode, encode, storable
from storage.records.findings import finding_from_json, finding_to_json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
GROUP = 10**17  # microseconds until the year 5138: one listing group's share of the urgency
_STATES = {state.value: state for state in State}
_NO_ATTEMPT = Attempt()
_ATTEMPT_DEFAULTS = {field.name: getattr(_NO_ATTEMPT, field.name) for field in fields(Attempt)}


def urgency(certificate: Certificate) -> int:
    """Return the certificate's place in listings, the worst smallest: its group, then its end (none before any)."""
    group, not_after, _ = certificate.place
    end = 0 if certificate.not_after is None else max(1, (not_after - EPOCH) // MICROSECOND)
    return group * GROUP + end


def certificate_values(certificate: Certificate) -> Values:
    """Return the whole row of a certificate: what stays with it, then `certificate_changes`."""
    return {
        "id": certificate.id,
        "store": certificate.store,
        "domain": certificate.domain,
        "created_at": certificate.created_at,
        "fence": certificate.fence,
        "lease_until": certificate.lease_until,
        **certificate_changes(certificate),
    }


def certificate_changes(certificate: Certificate) -> Values:
    """Return the part of a certificate's row that a save takes over from it."""
    window = certificate.window
    return {
        "wanted": encode(certificate.wanted),
        "updated_at": certificate.updated_at,
        "state": certificate.state.value,
        "run_after": certificate.run_after,
        "installed": certificate.installed,
        "next": certificate.next,
        "attempt": _attempt_to_json(certificate.attempt),
        "stopped_at": certificate.stopped_at.value if certificate.stopped_at else None,
        "failures": certificate.failures,
        "strikes": certificate.strikes,
        "problem": encode(finding_to_json(certificate.problem)) if certificate.problem else None,
        "asked": certificate.asked,
        "serial": certificate.serial,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "renew_at": certificate.renew_at,
        "window_start": window.start if window else None,
        "window_end": window.end if window else None,
        "ari_after": certificate.ari_after,
        "retry_at": certificate.retry_at,
        "compared": encode(text.to_json(certificate.compared)) if certificate.compared != NOTHING else None,
        "urgency": urgency(certificate),
        "revocation": encode(finding_to_json(certificate.revocation)) if certificate.revocation else None,
        "placements": _placements_to_json(certificate.placements),
        "rollback": encode(_rollback_to_json(certificate.rollback)) if certificate.rollback else None,
    }


def certificate(row: Sequence[Any]) -> Certificate:
    """Return the certificate of a row: all columns in the table's order, `urgency` left out."""
    (id_, store, domain, created_at, fence, lease_until, wanted, updated_at, state, run_after,
     installed, next_, attempt, stopped_at, failures, strikes, problem, asked, serial, not_before, not_after,
     renew_at, window_start, window_end, ari_after, retry_at,
     compared, revocation, placements, rollback) = row  # fmt: skip
    return Certificate(
        id=id_,
        store=store,
        domain=domain,
        wanted=tuple(decode(wanted)),
        created_at=created_at,
        updated_at=updated_at,
        state=_STATES[state],
        run_after=run_after,
        fence=fence,
        lease_until=lease_until,
        installed=installed,
        next=next_,
        attempt=_attempt_from_json(attempt) if attempt else _NO_ATTEMPT,
        stopped_at=_STATES[stopped_at] if stopped_at else None,
        failures=failures,
        strikes=strikes,
        problem=finding_from_json(decode(problem)) if problem else None,
        asked=asked,
        serial=serial,
        not_before=not_before,
        not_after=not_after,
        renew_at=renew_at,
        window=Window(window_start, window_end) if window_start else None,
        ari_after=ari_after,
        retry_at=retry_at,
        compared=text.from_json(decode(compared)) if compared else NOTHING,
        revocation=finding_from_json(decode(revocation)) if revocation else None,
        placements=_placements_from_json(placements),
        rollback=_rollback_from_json(decode(rollback)) if rollback else None,
    )


def _rollback_to_json(rollback: Rollback) -> dict[str, str]:
    return {
        "revision": rollback.revision,
        "serial": rollback.serial,
        "at": aware(rollback.at).isoformat(),
        "until": aware(rollback.until).isoformat(),
        "person": rollback.person,
        "approved_by": rollback.approved_by,
    }


def _rollback_from_json(found: Mapping[str, str]) -> Rollback:
    moments = {name: datetime.fromisoformat(found[name]) for name in ("at", "until")}
    return Rollback(
        revision=found["revision"],
        serial=found["serial"],
        person=found["person"],
        approved_by=found["approved_by"],
        **moments,
    )


def _placements_to_json(placements: Sequence[Placement]) -> str | None:
    if not placements:
        return None
    return encode([[one.target, one.revision, aware(one.at).isoformat()] for one in placements])


def _placements_from_json(found: str | None) -> tuple[Placement, ...]:
    rows = decode(found) if found else ()
    return tuple(Placement(target, revision, datetime.fromisoformat(at)) for target, revision, at in rows)


def _attempt_to_json(attempt: Attempt) -> str | None:
    """Return what differs from a fresh attempt; None if nothing does."""
    if attempt == _NO_ATTEMPT:
        return None
    found = {name: getattr(attempt, name) for name in _ATTEMPT_DEFAULTS}
    changed = {name: value for name, value in found.items() if value != _ATTEMPT_DEFAULTS[name]}
    if attempt.started_at is not None:
        changed["started_at"] = aware(attempt.started_at).isoformat()
    return encode(changed)


def _attempt_from_json(encoded: str) -> Attempt:
    """Return the attempt; what newer code has noted in it, and this one does not know, is left out."""
    found = {name: _tuples(value) for name, value in decode(encoded).items() if name in _ATTEMPT_DEFAULTS}
    if "started_at" in found:
        found["started_at"] = datetime.fromisoformat(found["started_at"])
    return Attempt(**found)


def _tuples(value: Any) -> Any:
    """Return JSON's lists as the tuples they were."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def revision_values(revision: Revision) -> Values:
    """Return the whole row of a revision."""
    return {
        "id": revision.id,
        "certificate": revision.certificate,
        "names": encode(revision.names),
        "csr": revision.csr,
        "sealed_key": revision.sealed_key,
        "created_at": revision.created_at,
        "key_type": revision.key_type,
        "ca": revision.ca,
        "order_url": revision.order_url,
        "finalize_url": revision.finalize_url,
        "authorizations": encode(revision.authorizations),
        "certificate_url": revision.certificate_url,
        "chain": revision.chain,
        "serial": revision.serial,
        "not_before": revision.not_before,
        "not_after": revision.not_after,
    }


def revision(row: Sequence[Any]) -> Revision:
    """Return the revision of a row: all columns in the table's order, which is the type's."""
    (
        id_,
        certificate_,
        names,
        csr,
        sealed_key,
        created_at,
        key_type,
        ca,
        order,
        final,
        authorizations,
        *rest,
    ) = row
    return Revision(
        id_, certificate_, tuple(decode(names)), csr, bytes(sealed_key), created_at, key_type, ca, order, final,
        tuple(decode(authorizations)), *rest,
    )  # fmt: skip


def happening_values(happening: Happening) -> Values:
    """Return the row of one happening, without its number."""
    return {
        "certificate": happening.certificate,
        "at": happening.at,
        "what": happening.what,
        "actor": happening.actor,
        "state": happening.state,
        "details": _details(happening.details),
    }


def happening(row: Sequence[Any]) -> Happening:
    """Return the happening of a row, its number left out."""
    certificate, at, what, actor, state, details = row
    return Happening(certificate, at, what, actor, state, _read_details(details))


_SENTENCE = '{"text":'
"""How a sentence begins that is kept as JSON; any other details are kept as they are."""


def _details(details: Item) -> str:
    if isinstance(details, str) and not details.startswith(_SENTENCE):
        return storable(details)
    return encode(text.to_json(details if isinstance(details, Text) else say("{said}", said=details)))


def _read_details(kept: str) -> Item:
    return text.from_json(decode(kept)) if kept.startswith(_SENTENCE) else kept
