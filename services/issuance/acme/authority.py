"""The adapter for one ACME CA: each port method is one short call that neither sleeps nor polls."""

import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from services.issuance.acme import documents
from services.issuance.acme.account import UNKNOWN, AccountDesk
from services.issuance.acme.documents import Directory, Source
from services.issuance.acme.errors import PREFIX, Where, short
from services.issuance.acme.jws import Signer, base64url
from services.issuance.acme.traffic import Traffic
from services.issuance.acme.wire import Post, Reply, Wire
from services.issuance.chain import ari_id, leaf_der, read_chain
from services.issuance.csr import csr_der
from services.model.clock import Clock
from services.model.errors import CaError, CaTrouble
from services.model.settings import CaSettings
from services.ports import Authorization, Challenge, Order, RenewalInfo, Storage, Vault

USER_AGENT = "certdesk"
CALL_SECONDS = 30.0
"""How long one call may take with all that belongs to it: half of a worker's lease."""
DIRECTORY_AGE = timedelta(hours=1)
"""How long a directory is believed before it is read again."""

_CHAIN = "application/pem-certificate-chain"
_REPLACES_STATUS = frozenset({403, 404, 409, 500})
"""Replies with which CAs turn down an order for its ``replaces``, beside 400 malformed."""
ALREADY_REVOKED = PREFIX + "alreadyRevoked"
"""What a CA answers to a revocation that was done before (RFC 8555 §7.6)."""
_ANSWERED = frozenset({"processing", "valid", "invalid"})

_Shape = TypeVar("_Shape")


class AcmeCa:
    """Implements services.ports.CertificateAuthority (RFC 8555, RFC 9773) for one CA of app.yaml."""

    def __init__(
        self,
        settings: CaSettings,
        storage: Storage,
        vault: Vault,
        clock: Clock,
        *,
        user_agent: str = USER_AGENT,
        seconds: float = CALL_SECONDS,
    ) -> None:
        self._settings, self._clock = settings, clock
        self._user_agent, self._seconds = user_agent, seconds
        self._account = AccountDesk(settings, storage, vault, clock)
        self._directory: Directory | None = None
        self._mine = threading.local()
        self._wires: weakref.WeakSet[Wire] = weakref.WeakSet()  # of living threads, to be closed
        self._wires_lock = threading.Lock()
        self._traffic = Traffic()

    @property
    def name(self) -> str:
        """The CA's name in app.yaml."""
        return self._settings.name

    def traffic(self) -> Mapping[str, int]:
        """Return how many requests were sent (``get``, ``head``, ``post``) and how many repeated (``bad_nonce``)."""
        return self._traffic.counts()

    def clock_ahead(self) -> timedelta | None:
        """Return how far the CA's clock is ahead of ours by its Date headers; None if it was not heard of for a day."""
        return self._traffic.clock_ahead(self._clock(), time.monotonic())

    def place_order(self, names: Sequence[str], replaces: str | None = None) -> Order:
        """Place an order (§7.4) with the profile of app.yaml; without ``replaces`` where the CA refuses that field."""
        wire = self._begin()
        directory = self._known(wire)
        payload: dict[str, Any] = {"identifiers": [{"type": "dns", "value": name} for name in names]}
        if self._settings.profile:
            payload["profile"] = self._offered(self._settings.profile, directory)
        predecessor = _predecessor(replaces) if directory.renewal_info else None
        if predecessor is None:
            return self._ordered(wire, directory, payload)
        try:
            return self._ordered(wire, directory, {**payload, "replaces": predecessor})
        except CaError as error:
            if not _turns_down_replaces(error):
                raise
        return self._ordered(wire, directory, payload)

    def read_order(self, url: str) -> Order:
        """Return the order's present state. ORDER_LOST if the CA no longer knows it."""
        wire = self._begin()
        self._belongs(wire, url)
        return self._shaped(self._post(wire, Post(url)), documents.read_order)

    def read_authorization(self, url: str) -> Authorization:
        """Return the authorization's present state."""
        wire = self._begin()
        self._belongs(wire, url)
        return self._shaped(self._post(wire, Post(url)), documents.read_authorization)

    def key_authorization(self, token: str) -> str:
        """Return the token joined with the account key's thumbprint (§8.1). Asks nobody."""
        return self._account.key_authorization(token)

    def answer(self, challenge: Challenge) -> None:
        """Tell the CA that the challenge is ready (§7.5.1); one that was answered before is left alone."""
        if challenge.status in _ANSWERED:
            return
        wire = self._begin()
        try:
            self._post(wire, Post(challenge.url, {}))
        except CaError as error:
            if error.trouble is not CaTrouble.NOT_READY and error.type != PREFIX + "malformed":
                raise
            # CAs say this of a challenge that was answered before, but also of a request that is wrong
            state = documents.parse(self._post(wire, Post(challenge.url)).body).get("status")
            if state not in _ANSWERED:
                raise

    def finalize(self, order_url: str, finalize_url: str, csr: str) -> Order:
        """Send the CSR (PEM; §7.4). NOT_READY if the order is not ready, which a second call may meet."""
        wire = self._begin()
        self._belongs(wire, finalize_url)
        reply = self._post(wire, Post(finalize_url, {"csr": base64url(csr_der(csr))}, where=Where.FINALIZE))
        return self._shaped(reply, documents.read_order, url=order_url)

    def download(self, certificate_url: str) -> str:
        """Return the chain as PEM, leaf first (§7.4.2)."""
        wire = self._begin()
        self._belongs(wire, certificate_url)
        reply = self._post(wire, Post(certificate_url, accept=_CHAIN))
        if b"-----BEGIN CERTIFICATE-----" not in reply.body:
            raise self._not_acme("a certificate chain")
        return reply.body.decode("ascii", "replace")

    def renewal_info(self, certificate: str) -> RenewalInfo | None:
        """Return the CA's suggestion (RFC 9773 §4) for the leaf of this PEM.

        None if the CA does not offer ARI, does not know the certificate, or the certificate has expired: of such a
        one a client must not ask (§4.3).
        """
        wire = self._begin()
        directory = self._known(wire)
        not_after = read_chain(certificate).not_after
        identifier = _predecessor(certificate)
        if directory.renewal_info is None or identifier is None or not_after <= self._clock():
            return None
        try:
            reply = wire.fetch(f"{directory.renewal_info.rstrip('/')}/{identifier}")
        except CaError as error:
            if error.status == 404:
                return None
            raise
        return self._shaped(
            reply, lambda document, source: documents.read_renewal_info(document, source, not_after)
        )

    def revoke(self, certificate: str, reason: int, key: str | None = None) -> bool:
        """Revoke the leaf of this PEM (§7.6), signed by the account, or by the certificate's own ``key``."""
        wire = self._begin()
        directory = self._known(wire)
        if directory.revoke_cert is None:
            raise CaError(CaTrouble.SETTINGS, "The CA's directory has no revokeCert.", ca=self.name)
        payload = {"certificate": base64url(leaf_der(certificate)), "reason": reason}
        post = Post(directory.revoke_cert, payload, where=Where.ENDPOINT)
        try:
            if key is None:
                self._post(wire, post)
            else:
                wire.send(post, Signer(key.encode("ascii")), directory.new_nonce)
        except CaError as error:
            if error.type != ALREADY_REVOKED:
                raise
            return False
        return True

    def close(self) -> None:
        """Close every thread's connections. May be called twice; a later call opens them again."""
        with self._wires_lock:
            wires = list(self._wires)
        for wire in wires:
            wire.session.close()

    def _begin(self) -> Wire:
        """Return this thread's wire, with the clock of one call started."""
        wire: Wire | None = getattr(self._mine, "wire", None)
        if wire is None:
            bundle = self._settings.ca_bundle
            wire = Wire(
                self.name,
                self._settings.directory,
                str(bundle) if bundle else None,
                self._user_agent,
                self._clock,
                self._traffic,
            )
            self._mine.wire = wire
            with self._wires_lock:
                self._wires.add(wire)
        wire.begin(self._seconds)
        return wire

    def _known(self, wire: Wire) -> Directory:
        """Return the directory, from memory while it is fresh."""
        directory = self._directory
        if directory is None or self._clock() - directory.read_at > DIRECTORY_AGE:
            reply = wire.fetch(self._settings.directory)
            directory = self._directory = self._shaped(reply, documents.read_directory)
        wire.speak_to(directory.hosts)
        return directory

    def _post(self, wire: Wire, post: Post) -> Reply:
        """Send a signed request; if the CA has forgotten the account, register its key anew and send it again."""
        directory = self._known(wire)
        signer = self._account.signer(wire, directory)
        try:
            return wire.send(post, signer, directory.new_nonce)
        except CaError as error:
            if error.type != UNKNOWN:
                raise
        return wire.send(post, self._account.signer_anew(signer, wire, directory), directory.new_nonce)

    def _ordered(self, wire: Wire, directory: Directory, payload: Mapping[str, Any]) -> Order:
        reply = self._post(wire, Post(directory.new_order, payload, where=Where.ENDPOINT))
        if not reply.location:
            raise self._not_acme("an order with a URL")
        return self._shaped(reply, documents.read_order, url=reply.location)

    def _offered(self, profile: str, directory: Directory) -> str:
        """Return the profile if the CA lists it: some CAs would ignore another one silently."""
        if profile in directory.profiles:
            return profile
        offers = ", ".join(sorted(directory.profiles)) or "no profiles at all"
        detail = f"The CA does not offer the profile {profile!r} of app.yaml; it offers {offers}."
        raise CaError(CaTrouble.SETTINGS, detail, ca=self.name, type=PREFIX + "invalidProfile")

    def _belongs(self, wire: Wire, url: str) -> None:
        """Raise ORDER_LOST for a stored URL that is not this CA's: its directory has moved since."""
        directory = self._known(wire)
        if not any(url.startswith(f"https://{host}/") for host in directory.hosts):
            detail = f"{url} does not belong to the CA's directory {self._settings.directory}."
            raise CaError(CaTrouble.ORDER_LOST, detail, ca=self.name)

    def _shaped(
        self, reply: Reply, shape: Callable[[Mapping[str, Any], Source], _Shape], url: str = ""
    ) -> _Shape:
        """Return the reply's document in the shape of the port. Raises CaError if it is not one."""
        source = Source(self.name, url or reply.url, self._clock(), reply.retry_at)
        try:
            return shape(documents.parse(reply.body), source)
        except ValueError as error:
            raise self._not_acme(f"what was asked for ({error})") from error

    def _not_acme(self, wanted: str) -> CaError:
        return CaError(CaTrouble.UNAVAILABLE, f"The CA's answer is not {wanted}.", ca=self.name)


def _predecessor(certificate: str | None) -> str | None:
    """Return the ARI identifier of a certificate, or None without one or where it has none."""
    try:
        return ari_id(certificate) if certificate else None
    except ValueError:
        return None


def _turns_down_replaces(error: CaError) -> bool:
    """Tell whether an order with ``replaces`` is worth trying again without it (RFC 9773 §5)."""
    return (
        error.trouble is CaTrouble.REPLACES_REFUSED
        or error.status in _REPLACES_STATUS
        or short(error.type) == "malformed"
    )
