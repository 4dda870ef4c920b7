"""What certdesk says of one name: the typed form of the machine contract's object."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.model.certificates import Certificate
from services.model.clock import rfc3339
from services.model.findings import Finding
from services.model.text import Text


@dataclass(frozen=True, slots=True)
class NameStatus:
    """One name, its store (None if it is not the caller's), where it stands and what was found."""

    name: str
    store: str | None
    state: str
    """A lifecycle state, or ``none`` for a name without a certificate."""
    label: Text
    not_after: datetime | None = None
    serial: str | None = None
    next_attempt_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    certificate: Certificate | None = None

    @property
    def blocked(self) -> bool:
        """Whether a finding stands in the way."""
        return any(finding.blocks for finding in self.findings)

    @property
    def targets(self) -> list[str]:
        """The deploy targets that have the installed certificate, if it covers the name."""
        one = self.certificate
        return sorted(one.holders(one.installed)) if one and one.installed and self.serial else []

    def as_json(self) -> dict[str, Any]:
        """Return the object of the machine contract (docs/json.md)."""
        return {
            "name": self.name,
            "store": self.store,
            "state": self.state,
            "label": self.label.plain(),
            "not_after": rfc3339(self.not_after),
            "serial": self.serial,
            "targets": self.targets,
            "next_attempt_at": rfc3339(self.next_attempt_at),
            "findings": [finding.as_json() for finding in self.findings],
        }
