"""`certdesk demo`: plays the main job by itself, shows where to look, and stays up until Ctrl-C."""

import json
import shutil
import signal
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from bot.demo import world as demo_world
from bot.demo.parts.errors import PartError
from bot.demo.transcript import Transcript
from bot.demo.world import AGENT, CHANNEL, LOOPBACK, NAME, World
from services.issuance.chain import serial_hex
from services.model.certificates import Certificate
from services.model.clock import rfc3339, utc_now
from services.model.errors import CertdeskError
from services.model.lifecycle import State
from storage.database import Database

Found = TypeVar("Found")
PATIENCE = 90.0
"""Seconds that one part of the main job may take."""


class PlayError(Exception):
    """The main job did not come to its end; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a TLS client saw: a chain that leads to the CA's root, for the right name."""

    serial: str
    not_after: str
    issuer: str


def play(*, once: bool) -> int:
    """Play the demo; return the exit code. With ``once`` a JSON line comes last, and everything stops."""
    transcript = Transcript()
    began = time.monotonic()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    folder = Path(tempfile.mkdtemp(prefix="certdesk-demo-"))
    result: dict[str, object] = {"ok": False, "name": NAME}
    try:
        with ExitStack() as stack:
            transcript.head("certdesk demo: the main job on real parts, all on this machine")
            world = demo_world.start(folder, stack, transcript.done)
            result |= _main_job(world, transcript, stop)
            result |= {"ok": True, "seconds": round(time.monotonic() - began, 1)}
            if not once:
                _where_to_look(world, transcript)
                stop.wait()
                transcript.head("Stopping all that the demo started.")
    except (PartError, PlayError, CertdeskError, OSError) as error:
        result |= {"reason": str(error), "seconds": round(time.monotonic() - began, 1)}
        transcript.head(f"The demo did not come to its end: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if once:
        transcript.print(json.dumps(result))
    return 0 if result["ok"] else 1


def _main_job(world: World, transcript: Transcript, stop: threading.Event) -> dict[str, object]:
    storage = Database.open(world.environment["CERTDESK_DATABASE__URL"])
    stage = _Stage(world, transcript, storage, stop)
    try:
        stage.ask("1", f"add {NAME}")
        first = stage.installed(previous=None)
        seen = stage.handshake("2", first)
        stage.ask("3", f"status {NAME}")
        stage.answered(NAME)
        stage.ask("4", f"renew {NAME}")
        second = stage.installed(previous=first.serial)
        renewed = stage.handshake("5", second)
    finally:
        storage.close()
    if seen.serial == renewed.serial:
        raise PlayError("the serial number did not change with the renewal")
    transcript.done(f"the serial changed from {seen.serial} to {renewed.serial}")
    return {
        "serial": seen.serial,
        "renewed_serial": renewed.serial,
        "not_after": renewed.not_after,
        "edge_verified": True,
    }


class _Stage:
    """The scenes of the main job, in the workspace where there is one, else in the terminal."""

    def __init__(
        self, world: World, transcript: Transcript, storage: Database, stop: threading.Event
    ) -> None:
        self._world, self._transcript, self._storage, self._stop = world, transcript, storage, stop
        self._seen = 0

    def ask(self, number: str, words: str) -> None:
        """Let the support agent type `/ssl WORDS`; it reaches certdesk as a signed request."""
        self._began = utc_now()
        slack = self._world.slack
        if slack is None:
            self._transcript.head(f"{number}  certdesk ssl {words}")
            self._said = demo_world.run(self._world.environment, "ssl", *words.split())
            return
        self._transcript.head(f"{number}  /ssl {words}      typed by a support agent in #ssl-support")
        self._seen = len(slack.messages(CHANNEL))
        slack.command(words, AGENT, CHANNEL)
        self._transcript.done("signed request delivered and acknowledged")

    def installed(self, previous: str | None) -> Certificate:
        """Show each step of the certificate until a new serial is installed; return it."""
        shown = 0
        with self._transcript.live("working"):

            def arrived() -> Certificate | None:
                nonlocal shown
                certificate = self._certificate()
                if certificate is None:
                    return None
                with self._storage.read() as tx:
                    news = [h for h in tx.certificates.history(certificate.id) if h.at >= self._began]
                for happening in news[shown:]:
                    self._transcript.happened(happening, self._began)
                shown = len(news)
                self._transcript.plan(certificate, NAME)
                return _fresh(certificate, previous)

            certificate = self._until(arrived, "the certificate was not installed")
        self.answered("installed")
        return certificate

    def answered(self, word: str) -> None:
        """Show what certdesk said, once its message has ``word``."""
        slack = self._world.slack
        if slack is None:
            self._transcript.quote("certdesk", self._said)
            return

        def text() -> str | None:
            news = [str(message.get("text", "")) for message in slack.messages(CHANNEL)[self._seen :]]
            return next((one for one in news if word in one), None)

        self._transcript.quote(
            "certdesk", self._until(text, "certdesk's message did not appear in the workspace")
        )

    def handshake(self, number: str, certificate: Certificate) -> Handshake:
        """Shake hands with the edge as a shopper's browser does; the chain must lead to the CA's root."""
        port = self._world.edge.https_port
        self._transcript.head(
            f"{number}  TLS handshake with the edge at {LOOPBACK}:{port}, server name {NAME}"
        )
        context = ssl.create_default_context(cafile=str(self._world.root))
        with (
            socket.create_connection((LOOPBACK, port), timeout=10) as connection,
            context.wrap_socket(connection, server_hostname=NAME) as tls,
        ):
            leaf = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
        seen = Handshake(
            serial_hex(leaf.serial_number),
            rfc3339(leaf.not_valid_after_utc) or "",
            leaf.issuer.rfc4514_string(),
        )
        if seen.serial != certificate.serial:
            raise PlayError(f"the edge serves serial {seen.serial}, not {certificate.serial}")
        self._transcript.done(f"serial {seen.serial}, issued by {seen.issuer}, valid until {seen.not_after}")
        self._transcript.done("chain verified against the CA's root, and the name fits")
        return seen

    def _certificate(self) -> Certificate | None:
        with self._storage.read() as tx:
            return tx.certificates.of("moon", "moon.test")

    def _until(self, look: Callable[[], Found | None], otherwise: str) -> Found:
        """Return what ``look`` finds as soon as it does. Raises PlayError after 90 seconds or at Ctrl-C."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not self._stop.is_set():
            found = look()
            if found is not None:
                return found
            self._stop.wait(0.1)
        log = self._world.certdesk.tail()
        raise PlayError(
            "stopped"
            if self._stop.is_set()
            else f"{otherwise} within {PATIENCE:.0f} s; certdesk's log ends: {log}"
        )


def _fresh(certificate: Certificate, previous: str | None) -> Certificate | None:
    """Return the certificate if a new serial is installed. Raises PlayError if it failed instead."""
    if certificate.state in (State.BLOCKED, State.FAILED, State.NEEDS_SUPPORT):
        raise PlayError(str(certificate.problem.summary) if certificate.problem else certificate.state.value)
    fresh = certificate.state is State.INSTALLED and certificate.serial not in (None, previous)
    return certificate if fresh and certificate.ari_after is not None else None


def _where_to_look(world: World, transcript: Transcript) -> None:
    transcript.head("Where to look")
    if world.slack is not None:
        transcript.line(
            f"the workspace:  {world.slack.page_url}   (you are Mina, a support agent, in #ssl-support)"
        )
    transcript.line(
        f"the store:      https://{NAME}:{world.edge.https_port}/   (curl --cacert {world.root} --resolve {NAME}:{world.edge.https_port}:{LOOPBACK} …)"
    )
    transcript.line(f"health:         {world.web}/health/ready   metrics: {world.web}/metrics")
    transcript.head("What to try")
    transcript.line("/ssl add sun.test www.sun.test     two names, one certificate")
    transcript.line(
        "/ssl add comet.test                its DNS is hosted elsewhere: see what certdesk says, and to whom"
    )
    transcript.line(
        "/ssl add moon.shops.test           a default domain; /ssl add shop.example.test   somebody else's"
    )
    transcript.line("/ssl status     /ssl history shop.moon.test     /ssl help")
    transcript.line(f"the same in another terminal:  . {world.folder}/environment && ./certdesk ssl status")
    transcript.head("Ctrl-C stops all of it.")
