"""Links, requests for them and the audit trail: rows to dataclasses and back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.model.audiences import ChannelLanguage, Kind, Link, LinkRequest
from services.model.audit import Entry
from services.model.clock import aware
from storage.records.coding import Values, storable


def link_values(link: Link) -> Values:
    """Return the row of a link."""
    return {
        "kind": link.kind.value,
        "who": link.who,
        "store": link.store,
        "by": storable(link.by),
        "at": link.at,
    }


def link(row: Sequence[Any]) -> Link:
    """Return the link of a row."""
    kind, *rest = row
    return Link(Kind(kind), *rest)


def link_request_values(request: LinkRequest) -> Values:
    """Return the row of a request for a link."""
    return {
        "id": request.id,
        "person": request.person,
        "store": request.store,
        "channel": storable(request.channel),
        "at": request.at,
        "decided_at": request.decided_at,
        "decided_by": storable(request.decided_by),
        "approved": request.approved,
    }


def link_request(row: Sequence[Any]) -> LinkRequest:
    """Return the request for a link of a row."""
    return LinkRequest(*row)


def channel_language_values(choice: ChannelLanguage) -> Values:
    """Return the row of a channel's language."""
    return {
        "channel": choice.channel,
        "language": storable(choice.language),
        "by": storable(choice.by),
        "at": choice.at,
    }


def channel_language(row: Sequence[Any]) -> ChannelLanguage:
    """Return the channel's language of a row."""
    return ChannelLanguage(*row)


def keepable(entry: Entry) -> Entry:
    """Return ``entry`` as every database gives it back, which is what its hash must be of. ValueError if it is naive."""
    return replace(
        entry,
        at=aware(entry.at),
        actor=storable(entry.actor),
        role=storable(entry.role),
        action=storable(entry.action),
        subject=storable(entry.subject),
        result=storable(entry.result),
        reason=storable(entry.reason),
    )


def entry_values(entry: Entry) -> Values:
    """Return the row of an action in the audit trail."""
    return {
        "number": entry.number,
        "at": entry.at,
        "actor": entry.actor,
        "role": entry.role,
        "action": entry.action,
        "subject": entry.subject,
        "result": entry.result,
        "reason": entry.reason,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def entry(row: Sequence[Any]) -> Entry:
    """Return the action of a row: its number stands first there."""
    number, at, actor, role, action, subject, result, reason, previous, hash_ = row
    return Entry(at, actor, role, action, subject, result, reason, number, previous, hash_)
