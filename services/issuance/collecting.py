"""The steps that fetch the certificate: finalize with the saved CSR, wait for the order, download, and judge what came."""

from dataclasses import replace
from datetime import timedelta

from services.issuance.causes import of_ca
from services.issuance.chain import fits, read_chain
from services.issuance.keys import barred
from services.issuance.move import Move, Parts, on
from services.issuance.ordering import authority, next_way, present_revision, trouble, waiting
from services.issuance.proving import patient, within_reason
from services.model.certificates import Certificate, Revision
from services.model.errors import CaError, CaTrouble
from services.model.lifecycle import Event
from services.model.text import say
from services.ports import CertificateAuthority, Order
from services.renewal.breaker import Met, ca_thing

FIRST_LOOK = timedelta(milliseconds=50)


def finalizing(parts: Parts, certificate: Certificate) -> Move:
    """Send the saved CSR (RFC 8555 §7.4). A second time is refused as not ready: then the order's state decides."""
    revision = present_revision(parts, certificate)
    if (move := barred(parts, certificate, revision)) is not None:
        return move
    try:
        order = _finalized(authority(parts, revision.ca), revision)
    except CaError as error:
        return trouble(parts, certificate, error)
    now = parts.clock()
    saved = replace(revision, certificate_url=order.certificate_url)
    due = now if order.certificate_url else max(now + FIRST_LOOK, within_reason(now, order.retry_at) or now)
    moved = waiting(certificate.moved(Event.FINALIZED, now=now, run_after=due), now)
    return Move(moved, Event.FINALIZED.value, "", saved)


def _finalized(ca: CertificateAuthority, revision: Revision) -> Order:
    """Return the order once the CA has the CSR. Raises CaError for an order that is invalid, or not ready for it."""
    order = _alive(_sent(ca, revision), revision.ca)
    if order.status in ("pending", "ready"):
        raise CaError(CaTrouble.NOT_READY, "the order is not ready", ca=revision.ca)
    return order


def _sent(ca: CertificateAuthority, revision: Revision) -> Order:
    try:
        return ca.finalize(revision.order_url or "", revision.finalize_url or "", revision.csr)
    except CaError as error:
        if error.trouble is not CaTrouble.NOT_READY:
            raise
        return ca.read_order(revision.order_url or "")


def collecting(parts: Parts, certificate: Certificate) -> Move:
    """Wait for the order to be valid, download the chain and judge it before it is kept."""
    revision = present_revision(parts, certificate)
    now = parts.clock()
    try:
        ca = authority(parts, revision.ca)
        url = revision.certificate_url
        if url is None:
            order = _alive(ca.read_order(revision.order_url or ""), ca.name)
            if order.certificate_url is None:
                return patient(parts, certificate, order, "did not issue within 30 minutes")
            url = order.certificate_url
        chain = ca.download(url)
    except CaError as error:
        return trouble(parts, certificate, error)
    key = parts.vault.open(revision.sealed_key, revision.key_binding).decode()
    if reason := fits(chain, key, revision.names, now):
        detail = f"gave a certificate that does not fit: {reason.plain()}"
        misfit = CaError(CaTrouble.UNAVAILABLE, detail, ca=revision.ca)
        return next_way(parts, certificate, misfit, of_ca(misfit, revision.names[0], now))
    leaf = read_chain(chain)
    saved = replace(
        revision, chain=chain, serial=leaf.serial, not_before=leaf.not_before, not_after=leaf.not_after
    )
    issued = on(certificate, Event.ISSUED, now, say("serial {serial}", serial=leaf.serial), saved)
    return replace(issued, met=(Met(ca_thing(revision.ca)),))


def _alive(order: Order, ca: str) -> Order:
    """Return the order unless it has become invalid: then the CA refused the CSR after all. Raises CaError."""
    if order.status == "invalid":
        if isinstance(order.problem, CaError):
            raise order.problem
        raise CaError(CaTrouble.REJECTED, order.error or "the order became invalid", ca=ca)
    return order
