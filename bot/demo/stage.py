"""The scenes of the main job: a command is typed, the certificate's steps are shown, the edge is asked what it serves."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509

from bot.demo.desks import Desk
from bot.demo.sample import LOOPBACK, NAME, REGISTRABLE, STORE
from bot.demo.transcript import Transcript
from bot.demo.world import World
from services.issuance.chain import serial_hex
from services.model.certificates import Certificate
from services.model.clock import rfc3339, utc_now
from services.model.lifecycle import State
from services.ports import Storage

Found = TypeVar("Found")
PATIENCE = 90.0
"""Seconds that one scene may take."""
_LOOKS = 0.1
"""Seconds between looks."""


class PlayError(Exception):
    """The main job did not come to its end; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a TLS client saw: a chain that leads to the CA's root, for the right name."""

    serial: str
    not_after: str
    issuer: str


def main_job(stage: "Stage") -> dict[str, object]:
    """Play it; return what the JSON line says of it. Raises PlayError."""
    stage.ask("1", f"add {NAME}")
    first = stage.installed(previous=None)
    seen = stage.handshake("2", first)
    stage.ask("3", f"status {NAME}")
    stage.answered(NAME)
    stage.ask("4", f"renew {NAME}")
    stage.confirmed("Renew now")
    renewed = stage.handshake("5", stage.installed(previous=first.serial))
    stage.compared(seen, renewed)
    return {
        "serial": seen.serial,
        "renewed_serial": renewed.serial,
        "not_after": renewed.not_after,
        "edge_verified": True,
    }


class Stage:
    """Shows each scene in the transcript as it happens."""

    def __init__(
        self, world: World, desk: Desk, storage: Storage, transcript: Transcript, checked: Callable[[], None]
    ) -> None:
        """Take what a scene needs; ``checked`` raises when somebody wants the demo to stop."""
        self._world, self._desk, self._storage = world, desk, storage
        self._transcript, self._checked = transcript, checked
        self._began = utc_now()

    def ask(self, number: str, words: str) -> None:
        """Let the support agent type a command."""
        self._began = utc_now()
        command, where = self._desk.shown(words)
        self._transcript.head(f"{number}  {command}", where)
        self._transcript.done(self._desk.type(words))

    def installed(self, previous: str | None) -> Certificate:
        """Show each step of the certificate until another serial than ``previous`` is installed; return it."""
        shown = 0

        def arrived() -> Certificate | None:
            nonlocal shown
            certificate = self._certificate()
            if certificate is None:
                return None
            shown += self._news(certificate, shown)
            self._transcript.plan(certificate, NAME)
            return _fresh(certificate, previous)

        with self._transcript.live("certdesk works"):
            certificate = self._until(arrived, "the certificate was not installed")
        self.answered("installed")
        return certificate

    def _news(self, certificate: Certificate, shown: int) -> int:
        """Show what has happened since the command, but for what is ``shown`` already; return how much that is."""
        with self._storage.read() as tx:
            history = tx.certificates.history(certificate.id)
        news = [happening for happening in history if happening.at >= self._began][shown:]
        for happening in news:
            self._transcript.happened(happening, self._began)
        return len(news)

    def answered(self, word: str) -> None:
        """Show certdesk's answer once ``word`` is in it."""
        said = self._until(lambda: self._desk.answer(word), "certdesk's answer did not appear")
        self._transcript.quote("certdesk", said)

    def confirmed(self, button: str) -> None:
        """Let the support agent answer certdesk's question with the button, where one is asked."""
        clicked = self._until(self._clicked(button), "certdesk's question did not appear")
        if clicked:
            self._transcript.done(f"certdesk asks first; the support agent clicks “{button}”")

    def _clicked(self, button: str) -> Callable[[], bool | None]:
        """Return a look that ends: with True once the button is clicked, with False where nothing is asked."""

        def look() -> bool | None:
            clicked = self._desk.clicks(button)
            return False if clicked is None else clicked or None

        return look

    def handshake(self, number: str, certificate: Certificate) -> Handshake:
        """Shake hands with the edge as a shopper's browser does; the chain must lead to the CA's root."""
        port = self._world.edge.https_port
        self._transcript.head(f"{number}  TLS handshake with the edge", f"{LOOPBACK}:{port}, for {NAME}")
        seen = shaken(self._world, NAME)
        if seen.serial != certificate.serial:
            raise PlayError(f"the edge serves serial {seen.serial}, not {certificate.serial}")
        self._transcript.done(f"serial {seen.serial}, issued by {seen.issuer}, valid until {seen.not_after}")
        self._transcript.done("chain verified against the CA's root, and the name fits")
        return seen

    def compared(self, before: Handshake, after: Handshake) -> None:
        """Show that the serial has changed."""
        if before.serial == after.serial:
            raise PlayError("the serial number did not change with the renewal")
        self._transcript.done(f"the serial changed from {before.serial} to {after.serial}")

    def _certificate(self) -> Certificate | None:
        with self._storage.read() as tx:
            return tx.certificates.of(STORE, REGISTRABLE)

    def _until(self, look: Callable[[], Found | None], otherwise: str) -> Found:
        """Return what ``look`` finds as soon as it does. Raises PlayError after 90 seconds or when certdesk has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._world.certdesk.alive:
            self._checked()
            found = look()
            if found is not None:
                return found
            time.sleep(_LOOKS)
        certdesk = self._world.certdesk
        why = f"within {PATIENCE:.0f} s" if certdesk.alive else "because certdesk has ended"
        raise PlayError(f"{otherwise} {why}; certdesk's log ends: {certdesk.tail()}")


def shaken(world: World, name: str) -> Handshake:
    """Shake hands with the edge for ``name``; the chain must lead to the CA's root. Raises PlayError if it does not."""
    port = world.edge.https_port
    trust = ssl.create_default_context(cafile=str(world.root))
    try:
        with (
            socket.create_connection((LOOPBACK, port), timeout=10) as connection,
            trust.wrap_socket(connection, server_hostname=name) as secured,
        ):
            leaf = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
    except OSError as error:
        raise PlayError(f"the handshake with the edge for {name} failed: {error}") from error
    return Handshake(
        serial_hex(leaf.serial_number),
        rfc3339(leaf.not_valid_after_utc) or "",
        leaf.issuer.rfc4514_string(),
    )


def _fresh(certificate: Certificate, previous: str | None) -> Certificate | None:
    """Return the certificate if a new serial is installed. Raises PlayError if it failed instead."""
    if certificate.state in (State.BLOCKED, State.FAILED, State.NEEDS_SUPPORT):
        raise PlayError(str(certificate.problem.summary) if certificate.problem else certificate.state.value)
    fresh = certificate.state is State.INSTALLED and certificate.serial not in (None, previous)
    return certificate if fresh and certificate.ari_after is not None else None
