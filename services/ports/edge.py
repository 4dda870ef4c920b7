"""Ports: deploy targets, and the look at what is served."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.model.certificates import Revision


class DeployTarget(Protocol):
    """A place where certificates go."""

    @property
    def name(self) -> str:
        """The target's name in app.yaml."""
        ...

    def deploy(self, revision: Revision, key: str) -> None:
        """Make ``revision`` the one that is served for each of its names; ``key`` is the private key, PEM.

        Idempotent and atomic for each name: key and chain change together or not at all. Raises DeployError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """What one edge address serves for one name."""

    name: str
    address: str
    serial: str | None
    """Lower-case hex; None if no TLS connection came about."""
    trusted: bool | None
    """Whether the chain leads to a trusted root and the name fits; None without a connection."""
    error: str = ""


class EdgeProbe(Protocol):
    """Looks at what the edge serves."""

    def served(self, name: str) -> Sequence[Served]:
        """Connect to each of the platform's addresses with SNI ``name`` and return what was served, one for each.

        A wildcard is asked for with a name below it. Empty if no addresses are configured.
        """
        ...
