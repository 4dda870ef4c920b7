"""Recalls: rows to dataclasses and back."""

from collections.abc import Sequence
from typing import Any

from services.model.recalls import Recall
from storage.records.coding import Values, storable


def recall_values(recall: Recall) -> Values:
    """Return the row of a recall."""
    return {
        "revision": recall.revision,
        "certificate": recall.certificate,
        "store": recall.store,
        "name": storable(recall.name),
        "ca": storable(recall.ca),
        "seen_at": recall.seen_at,
        "not_after": recall.not_after,
        "because": storable(recall.because),
        "planned": recall.planned,
        "job": recall.job,
    }


def recall(row: Sequence[Any]) -> Recall:
    """Return the recall of a row."""
    return Recall(*row)
