"""What an RDAP answer says of a domain: statuses, ends and the registrar (RFC 9083). Pure, and it believes no shape."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from services.checks.world import Registration

LONGEST_TEXT = 80
"""Characters that are kept of a status or a registrar's name."""
MOST = 64
"""Statuses, events and entities that are looked at; real answers have a dozen."""

_BARE_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_END_OF_DAY = time(23, 59, 59, tzinfo=UTC)
Document = Mapping[str, Any]


def read(domain: str, content: bytes, source: str) -> Registration:
    """Return what ``content``, the answer for ``domain``, says; with the error ``malformed`` if it is no such answer.

    An answer that names another domain is malformed as well: it must not speak for this one.
    """
    document = _document(content)
    if document is None or not _is_about(document, domain):
        return Registration(domain, source=source, error="malformed")
    return Registration(
        domain,
        statuses=frozenset(_statuses(document.get("status"))),
        expires_at=_latest(document, "expiration"),
        registrar_expires_at=_latest(document, "registrar expiration"),
        registrar=_registrar(document),
        source=source,
    )


def _document(content: bytes) -> Document | None:
    """Return the JSON object; None for anything else, nonsense nested without end included."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _is_about(document: Document, domain: str) -> bool:
    """Tell whether it is a domain object (RFC 9083 §5.3) of this name; sloppy servers leave class or name out."""
    kind, name = document.get("objectClassName"), document.get("ldhName")
    if kind is None and not {"status", "events"} & document.keys():
        return False
    named = name.strip().lower().removesuffix(".") if isinstance(name, str) else domain
    return kind in (None, "domain") and (named == domain or not named.isascii())


def _statuses(given: object) -> Iterable[str]:
    """Yield statuses as the IANA registry writes them, though a server gives EPP's spelling (RFC 8056 §2) or a link to it."""
    for status in given[:MOST] if isinstance(given, list) else ():
        if isinstance(status, str) and (words := status.split("http", 1)[0]):
            spaced = _HUMP.sub(" ", words).replace("_", " ").replace("-", " ")
            yield " ".join(spaced.lower().split())[:LONGEST_TEXT]


def _latest(document: Document, action: str) -> datetime | None:
    """Return the latest of the domain's own events of this kind: where two stand, the later one is the renewal.

    Events of the entities in the answer (a contact, the registrar's account) are theirs, not the domain's.
    """
    events = (event for event in _objects(document.get("events")) if _action(event) == action)
    found = [moment for event in events if (moment := moment_of(event.get("eventDate"))) is not None]
    return max(found, default=None)


def _action(event: Document) -> str:
    action = event.get("eventAction")
    return " ".join(action.lower().split()) if isinstance(action, str) else ""


def moment_of(text: object) -> datetime | None:
    """Return the moment in UTC that an ``eventDate`` means (RFC 3339); None for what is none.

    A bare date is the end of that day in UTC, whatever zone stands behind it; a time without a zone is in UTC.
    """
    if not isinstance(text, str):
        return None
    given = text.strip().upper()
    try:
        if bare := _BARE_DATE.fullmatch(given):
            return datetime.combine(date.fromisoformat(bare[1]), _END_OF_DAY)
        moment = datetime.fromisoformat(given) if "T" in given or " " in given else None
        if moment is None:
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _registrar(document: Document) -> str:
    """Return the name of the entity whose role is ``registrar`` (RFC 9083 §10.2.4), from its jCard; empty if none."""
    for entity in _objects(document.get("entities")):
        roles = entity.get("roles")
        if (
            isinstance(roles, list)
            and "registrar" in roles
            and (name := _full_name(entity.get("vcardArray")))
        ):
            return name
    return ""


def _full_name(card: object) -> str:
    """Return the ``fn`` property of a jCard (RFC 7095 §3), on one line."""
    properties = card[1] if isinstance(card, list) and len(card) > 1 else ()
    for entry in properties[:MOST] if isinstance(properties, list) else ():
        if isinstance(entry, list) and len(entry) > 3 and entry[0] == "fn" and isinstance(entry[3], str):
            return " ".join("".join(c if c.isprintable() else " " for c in entry[3]).split())[:LONGEST_TEXT]
    return ""


def _objects(given: object) -> Iterable[Document]:
    return (each for each in given[:MOST] if isinstance(each, dict)) if isinstance(given, list) else ()
