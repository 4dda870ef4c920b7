"""What a scan of a store's pages finds: things that are loaded, posted or led to over http://."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from services.model.findings import Finding
from services.model.text import Text


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


class Advice(StrEnum):
    """What to do about it."""

    HTTPS = "https"
    """The same is to be had over https: change http:// to https://."""
    UPLOAD = "upload"
    """It is not: move the file into the store's own space, and link that."""
    REMOVE = "remove"
    """It is not to be had at all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One insecure URL on one page, and what to do about it."""

    page: str
    """URL of the page that loads it."""
    found: Found
    advice: Advice
    why: Text
    """What was seen, and so what to do."""
    places: tuple[str, ...] = ()
    """Where it stands in the theme's source, as FILE:LINE."""

    @property
    def thing(self) -> tuple[str, str]:
        """What makes it the same problem on other pages: the URL, and what loads it."""
        return self.found.url, self.found.element

    def as_json(self) -> dict[str, Any]:
        """Return the problem in the shape of the machine contract (docs/json.md)."""
        found = self.found
        return {
            "page": self.page,
            "url": found.url,
            "element": found.element,
            "attribute": found.attribute,
            "source": found.source,
            "line": found.line,
            "class": found.kind.value,
            "mitigated": found.mitigated,
            "advice": self.advice.value,
            "why": self.why.plain(),
            "theme": list(self.places),
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    """A URL that was not looked at."""

    url: str
    why: Text


@dataclass(frozen=True, slots=True)
class Transport:
    """How the name itself answers."""

    redirect: str = "unknown"
    """What http:// does: ``https`` (leads there), ``missing``, ``elsewhere`` (to another site), ``detour`` (by way of http://
    again), ``closed`` (nothing answers) or ``unknown``."""
    chain: tuple[str, ...] = ()
    """The URLs on that way."""
    hsts: int | None = None
    """max-age of Strict-Transport-Security, seconds; None without one."""
    subdomains: bool = False
    """Whether that field speaks of sub-domains too."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan of one name has found."""

    name: str
    store: str
    scanned_at: datetime
    pages: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()
    """content.mixed and content.page_not_https."""
    transport: Transport = field(default_factory=Transport)
    patch: str = ""
    """A unified diff of the theme's files that does what the advice ``https`` says; empty if there is none."""

    @property
    def count(self) -> int:
        """How many different things are wrong: one that stands on every page counts once, as does a name without https."""
        return len({problem.thing for problem in self.problems}) + sum(
            finding.code == "content.page_not_https" for finding in self.findings
        )

    def as_json(self) -> Mapping[str, Any]:
        """Return the object of the machine contract (docs/json.md)."""
        transport = self.transport
        return {
            "name": self.name,
            "store": self.store,
            "pages": list(self.pages),
            "problems": [problem.as_json() for problem in self.problems],
            "skipped": [{"url": one.url, "why": one.why.plain()} for one in self.skipped],
            "findings": [finding.as_json() for finding in self.findings],
            "https": {
                "redirect": transport.redirect,
                "chain": list(transport.chain),
                "hsts": transport.hsts,
                "subdomains": transport.subdomains,
            },
            "patch": self.patch,
        }


AHEAD = timedelta(days=30)
"""How much earlier a scan is due that somebody has asked for: those come first, whatever has come round by itself."""


@dataclass(frozen=True, slots=True)
class Site:
    """A name whose pages are scanned: what is known of them, and when they are scanned next; a row of its own queue."""

    id: str
    """The name."""
    store: str
    run_after: datetime | None
    """When the next scan is due; None: only when somebody asks."""
    asked_at: datetime
    """When the scan was asked for that is due, or that was the last one."""
    paths: tuple[str, ...] = ()
    """The only pages that it looks at; empty: all that the settings say."""
    fence: int = 0
    lease_until: datetime | None = None
    pages: int = 0
    """How many pages the scan under way has looked at."""
    seen: int = 0
    """How many problems it has seen."""
    scan: Scan | None = None
    """What the last one found."""
    answered: datetime | None = None
    """`asked_at` of the wish that `scan` answers."""
    count: int | None = None
    """How many problems the last scan of all pages found."""
    first: int | None = None
    """How many there were when there came to be any; None while there are none."""
    since: datetime | None = None
    """When that was."""

    @classmethod
    def asked(cls, name: str, store: str, paths: tuple[str, ...], now: datetime) -> Self:
        """Return the row of a name that somebody wants scanned at once."""
        return cls(name, store, now - AHEAD, now, paths)

    def joined(self, paths: tuple[str, ...], now: datetime) -> bool:
        """Tell whether a scan is due or under way that somebody who asks for the same would get the answer of."""
        owed = self.answered is None or self.answered < self.asked_at
        return owed and self.paths == paths and self.run_after is not None and self.run_after <= now

    @property
    def thing(self) -> str:
        """What messages about it follow."""
        return f"scan:{self.id}"
