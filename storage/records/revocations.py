"""Revocations and barred keys: rows to dataclasses and back."""

from collections.abc import Sequence
from typing import Any

from services.model import text
from services.model.revoking import BarredKey, Reason, Revocation, Stage
from services.model.text import NOTHING
from storage.records.coding import Values, decode, encode, storable


def revocation_values(revocation: Revocation) -> Values:
    """Return the row of a revocation."""
    return {
        "id": revocation.id,
        "certificate": revocation.certificate,
        "revision": revocation.revision,
        "store": revocation.store,
        "name": storable(revocation.name),
        "serial": revocation.serial,
        "ca": revocation.ca,
        "reason": revocation.reason.value,
        "person": storable(revocation.person),
        "created_at": revocation.created_at,
        "stage": revocation.stage.value,
        "run_after": revocation.run_after,
        "fence": revocation.fence,
        "lease_until": revocation.lease_until,
        "failures": revocation.failures,
        "error": encode(text.to_json(revocation.error)) if revocation.error != NOTHING else None,
        "done_at": revocation.done_at,
        "told": storable(revocation.told),
        "by_key": revocation.by_key,
    }


def revocation_changes(revocation: Revocation) -> Values:
    """Return the part of a revocation's row that a save takes over from it."""
    changed = ("stage", "run_after", "failures", "error", "done_at", "told", "by_key")
    values = revocation_values(revocation)
    return {name: values[name] for name in changed}


def revocation(row: Sequence[Any]) -> Revocation:
    """Return the revocation of a row."""
    (id_, certificate, revision, store, name, serial, ca, reason, person, created_at, stage, run_after, fence,
     lease_until, failures, error, done_at, told, by_key) = row  # fmt: skip
    return Revocation(
        id_,
        certificate,
        revision,
        store,
        name,
        serial,
        ca,
        Reason(reason),
        person,
        created_at,
        Stage(stage),
        run_after,
        fence,
        lease_until,
        failures,
        text.from_json(decode(error)) if error else NOTHING,
        done_at,
        told,
        by_key,
    )


def barred_key_values(key: BarredKey) -> Values:
    """Return the row of a barred key."""
    return {"spki": key.spki, "at": key.at, "serial": key.serial, "person": storable(key.person)}


def barred_key(row: Sequence[Any]) -> BarredKey:
    """Return the barred key of a row."""
    return BarredKey(*row)
