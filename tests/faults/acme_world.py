"""What the tests of the ACME adapter stand on: a tiny challenge server, an adapter, and a walk through an order."""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from bot.demo.parts.process import wait_until
from services.issuance.acme import AcmeCa
from services.issuance.csr import make_csr, new_key
from services.issuance.responders import answer_for
from services.model.clock import utc_now
from services.model.settings import CaSettings
from services.ports import Account, CertificateAuthority, ChallengeResponder, Order, Storage
from storage.vault import Vault

PATIENCE = 15.0
"""Seconds within which a test CA comes to a judgement."""
WELL_KNOWN = "/.well-known/acme-challenge/"


VAULT = Vault([secrets.token_bytes(32)])


def account_at(storage: Storage, directory: str) -> Account:
    """Return the account that is stored for the directory."""
    with storage.read() as transaction:
        found = transaction.accounts.get(directory)
    assert found is not None
    return found


@contextmanager
def challenge_server(storage: Storage, port: int) -> Iterator[None]:
    """Answer http-01 challenges (RFC 8555 §8.3) on a loopback port out of the storage."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answer_for(storage, self.path.removeprefix(WELL_KNOWN))
            body = (found or "not here").encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
            """Say nothing: the tests speak."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def adapter(
    directory: str,
    ca_bundle: Path | None,
    storage: Storage,
    *,
    clock: Callable[[], datetime] = utc_now,
    seconds: float = 20.0,
    **settings: Any,
) -> Iterator[AcmeCa]:
    """Give an adapter for the CA at ``directory``; ``settings`` are those of CaSettings."""
    given = CaSettings(name="test-ca", directory=directory, ca_bundle=ca_bundle, **settings)
    ca = AcmeCa(given, storage, VAULT, clock, seconds=seconds)
    try:
        yield ca
    finally:
        ca.close()


@dataclass(frozen=True)
class Issued:
    """What came of an order."""

    order: Order
    chain: str
    key: str


_Found = TypeVar("_Found")


def until(look: Callable[[], _Found], good: Callable[[_Found], bool], what: str) -> _Found:
    """Look until what is seen is good, with a deadline; return it."""
    seen: list[_Found] = []

    def holds() -> bool:
        seen[:] = [look()]
        return good(seen[0])

    wait_until(holds, PATIENCE, what)
    return seen[0]


def authorize(
    ca: CertificateAuthority, order: Order, responder: ChallengeResponder, certificate: str = "cert-1"
) -> Mapping[str, str]:
    """Answer every pending authorization of the order; return the statuses that the CA comes to, by URL."""
    for url in order.authorizations:
        authorization = ca.read_authorization(url)
        if authorization.status != "pending":
            continue
        challenge = next(each for each in authorization.challenges if each.type == responder.type)
        key_authorization = ca.key_authorization(challenge.token)
        responder.present(authorization.name, challenge.token, key_authorization, certificate)
        until(
            lambda a=authorization, c=challenge, k=key_authorization: responder.visible(a.name, c.token, k),  # type: ignore[misc]
            bool,
            "the answer to show",
        )
        ca.answer(challenge)
    return {
        url: until(
            lambda u=url: ca.read_authorization(u).status,  # type: ignore[misc]
            lambda status: status != "pending",
            "a judgement on the authorization",
        )
        for url in order.authorizations
    }


def finish(ca: CertificateAuthority, order: Order, names: Sequence[str], key: str) -> Issued:
    """Finalize the order and download its certificate."""
    ready = until(
        lambda: ca.read_order(order.url), lambda seen: seen.status != "pending", "the order to move on"
    )
    if ready.status == "ready":
        ca.finalize(order.url, order.finalize_url, make_csr(names, key))
    done = until(
        lambda: ca.read_order(order.url), lambda seen: seen.status in ("valid", "invalid"), "the order's end"
    )
    assert done.status == "valid", done.error
    assert done.certificate_url is not None
    return Issued(done, ca.download(done.certificate_url), key)


def issue(
    ca: CertificateAuthority, names: Sequence[str], responder: ChallengeResponder, replaces: str | None = None
) -> Issued:
    """Walk through a whole order."""
    order = ca.place_order(names, replaces)
    authorize(ca, order, responder)
    return finish(ca, order, names, new_key("ec-p256"))
