"""Ports: the checker, and what it is given."""

from dataclasses import dataclass
from typing import Protocol

from services.model.certificates import Certificate
from services.model.findings import Finding
from services.model.stores import Store


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be checked: one name, with all that the database knows of it."""

    name: str
    """Normalised name (services/naming.py)."""
    store: Store | None
    """The store that the caller means or that owns the name; None if the name is not the caller's."""
    added: bool
    """Whether the name, or the name it is the ``www.`` of, was added to that store."""
    default: bool
    """Whether the database marks it as the store's default domain."""
    certificate: Certificate | None = None


class Checker(Protocol):
    """Runs every check of the chain on a subject."""

    def check(self, subject: Subject) -> tuple[Finding, ...]:
        """Return what was found, worst first; empty for a healthy name. Spends nothing at the CA; never raises for DNS."""
        ...

    def rules(self, subject: Subject) -> tuple[Finding, ...]:
        """Return the findings of those checks that need no network: the store, the name and the policy."""
        ...
