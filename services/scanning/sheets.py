"""From one style sheet file to everything insecure in it; pure."""

from dataclasses import dataclass

from services.model.scans import Found
from services.scanning import styles, urls
from services.scanning.policies import Mitigations
from services.scanning.room import Room


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one style sheet holds."""

    found: tuple[Found, ...]
    sheets: tuple[str, ...]
    """Other style sheets that it imports, absolute, none of them insecure."""
    cut: bool = False
    """Whether it holds more than is kept of one."""


def read(text: str, url: str, mitigations: Mitigations) -> Sheet:
    """Return what the style sheet at ``url`` loads; ``mitigations`` are those of the page that uses it."""
    found: list[Found] = []
    sheets: list[str] = []
    room = Room()
    for reference in styles.references(text, url):
        insecure = urls.insecure(reference.url, url)
        if insecure is not None and not room.for_one():
            break
        if insecure is not None:
            own = urls.host_of(insecure) == urls.host_of(url)
            kind = urls.settled(reference.kind, insecure)
            mitigated = mitigations.cover(kind, own=own)
            found.append(Found(insecure, reference.name, "url", url, reference.line, kind, mitigated))
        elif reference.name == "@import":
            sheets.append(urls.joined(reference.url, url))
    return Sheet(tuple(found), tuple(sheets), room.cut)
