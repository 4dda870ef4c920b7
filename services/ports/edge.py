"""Ports: deploy targets, and the look at what is served."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.model.certificates import Revision

UNTOLD = ""
"""What `DeployTarget.current` returns where a target cannot be asked what it has."""


class DeployTarget(Protocol):
    """A place where certificates go. One contract suite (tests/contract/test_targets.py) runs over every kind.

    Every method may be called again after it failed or was interrupted, and from several threads and processes at once:
    for each name one of the revisions wins, and its key and chain are always each other's. Each raises DeployError,
    whose sentence names the target and the reason, and raises nothing else. Nothing depends on what an object of this
    type remembers: two processes with the same settings see the same place.
    """

    @property
    def name(self) -> str:
        """The target's name in app.yaml."""
        ...

    def deploy(self, revision: Revision, key: str) -> None:
        """Make ``revision`` the one that is served for each of its names; ``key`` is the private key, PEM.

        Idempotent: the same revision again changes nothing that is right already, and completes what is not. Key and chain
        of a name change together or not at all; everything that can fail is done before the first name changes, so a
        failure leaves what was served. What a key, chain or names do not fit is refused before anything is touched.
        Names that an earlier revision had and this one lacks keep what they have (see `remove`).

        A roll-back is the same call with an earlier revision, whether the target still keeps it or not.
        """
        ...

    def current(self, name: str) -> str | None:
        """Return the serial number (lower-case hex) of the certificate that the place has for exactly ``name``.

        It is read from the place itself. None means that there is none, or that parts of the target differ, so that to deploy
        again is right; `UNTOLD` that the target cannot be asked.
        """
        ...

    def remove(self, name: str) -> None:
        """Serve nothing of ours for ``name`` any more; a name that is not there is no error.

        The kept files of its revision stay until `discard`.
        """
        ...

    def discard(self, revision: Revision) -> bool:
        """Throw away what is kept of ``revision``, its key above all, unless a name still leads to it.

        Returns whether nothing of it is left; False means that it is in use. A target that keeps nothing returns True.
        When that is right (a grace time after it was replaced) is the caller's to know.
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
    not_after: datetime | None = None
    """When what is served expires; None without a connection."""
    protocol: str = ""
    """Version of TLS that was agreed on, such as TLSv1.3."""
    incomplete: bool = False
    """Whether it is not trusted only because certificates of its CA are missing from what is served."""


class EdgeProbe(Protocol):
    """Looks at what the edge serves."""

    def served(self, name: str, chain: str = "") -> Sequence[Served]:
        """Connect to each of the platform's addresses with SNI ``name`` and return what was served, one for each.

        ``chain`` is what ought to be served, PEM, the leaf first: with it `Served.incomplete` is told. A handshake also proves that
        the edge has the certificate's key (RFC 8446 §4.4.3).

        A wildcard is asked for with a name below it. Empty if no addresses are configured.
        """
        ...
