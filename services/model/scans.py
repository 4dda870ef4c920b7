"""What a scan of a store's pages finds: things that are loaded, posted or led to over http://."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What browsers do about it (W3C Mixed Content Level 2 §3), and what is no loading at all."""

    BLOCKABLE = "blockable"
    """Never loaded on an https page: scripts, styles, fonts, frames, image sets (§3.2)."""
    UPGRADEABLE = "upgradeable"
    """Asked for over https instead, and missing if that does not answer: images, audio, video (§3.1)."""
    FORM = "form"
    """A form that is sent to http://: browsers warn before they send it."""
    NAVIGATIONAL = "navigational"
    """Leads shoppers or search engines to http://."""
    LIKELY = "likely"
    """In a script, a template or a variable: loaded if that comes to be used."""


@dataclass(frozen=True, slots=True)
class Found:
    """One insecure URL at one place."""

    url: str
    """Absolute, as a browser would ask for it."""
    element: str
    """The element's name, lower case as it is written; in style sheets the property or at-rule."""
    attribute: str
    """The attribute; ``style`` and ``text`` for what stands in a style attribute or within the element."""
    source: str
    """URL of the page or style sheet in which it stands."""
    line: int
    """In `source`, from 1 on."""
    kind: Kind
    mitigated: bool = False
    """Whether the page's Content-Security-Policy has browsers load it over https, or not at all."""
