"""The steps that fetch the certificate: finalize with the saved CSR, wait for the order, download, and judge what came."""

from dataclasses import replace
from datetime import timedelta

from services.issuance.causes import of_ca
from services.issuance.chain import fits, read_chain
from services.issuance.move import Move, Parts, fault, on, poll
from services.issuance.ordering import next_way, present_revision, trouble
from services.issuance.proving import JUDGEMENT
from services.model.certificates import Certificate, Revision
from services.model.errors import CaError, CaTrouble
from services.model.lifecycle import Event
from services.ports import Order

FIRST_LOOK = timedelta(milliseconds=50)


def finalizing(parts: Parts, certificate: Certificate) -> Move:
    """Send the saved CSR (RFC 8555 §7.4). A second time is refused as not ready: then the order's state decides."""
    revision = present_revision(parts, certificate)
    ca = parts.cas[revision.ca]
    try:
        order = _finalized(parts, revision)
    except CaError as error:
        return trouble(parts, certificate, error)
    now = parts.clock()
    if order.status == "invalid":
        return trouble(
            parts,
            certificate,
            CaError(CaTrouble.REJECTED, order.error or "the order became invalid", ca=ca.name),
        )
    if order.status in ("pending", "ready"):
        return fault(
            certificate,
            now,
            of_ca(CaError(CaTrouble.NOT_READY, "the order is not ready", ca=ca.name), revision.names[0], now),
        )
    saved = replace(revision, certificate_url=order.certificate_url)
    due = now if order.certificate_url else max(now + FIRST_LOOK, order.retry_at or now)
    return Move(certificate.moved(Event.FINALIZED, now=now, run_after=due), Event.FINALIZED.value, "", saved)


def _finalized(parts: Parts, revision: Revision) -> Order:
    ca = parts.cas[revision.ca]
    try:
        return ca.finalize(revision.order_url or "", revision.finalize_url or "", revision.csr)
    except CaError as error:
        if error.trouble is not CaTrouble.NOT_READY:
            raise
        return ca.read_order(revision.order_url or "")


def collecting(parts: Parts, certificate: Certificate) -> Move:
    """Wait for the order to be valid, download the chain and judge it before it is kept."""
    revision = present_revision(parts, certificate)
    ca = parts.cas[revision.ca]
    now = parts.clock()
    try:
        url = revision.certificate_url
        if url is None:
            order = _alive(ca.read_order(revision.order_url or ""), ca.name)
            if order.certificate_url is None:
                return _patient(certificate, order, parts)
            url = order.certificate_url
        chain = ca.download(url)
    except CaError as error:
        return trouble(parts, certificate, error)
    key = parts.vault.open(revision.sealed_key, revision.key_binding).decode()
    if reason := fits(chain, key, revision.names, now):
        detail = f"gave a certificate that does not fit: {reason.plain()}"
        misfit = CaError(CaTrouble.UNAVAILABLE, detail, ca=ca.name)
        return next_way(parts, certificate, misfit, of_ca(misfit, revision.names[0], now))
    leaf = read_chain(chain)
    saved = replace(
        revision, chain=chain, serial=leaf.serial, not_before=leaf.not_before, not_after=leaf.not_after
    )
    return on(certificate, Event.ISSUED, now, f"serial {leaf.serial}", saved)


def _alive(order: Order, ca: str) -> Order:
    """Return the order unless it has become invalid: then the CA refused the CSR after all. Raises CaError."""
    if order.status == "invalid":
        raise CaError(CaTrouble.REJECTED, order.error or "the order became invalid", ca=ca)
    return order


def _patient(certificate: Certificate, order: Order, parts: Parts) -> Move:
    now = parts.clock()
    if now - (certificate.attempt.started_at or now) > JUDGEMENT:
        raise CaError(CaTrouble.ORDER_LOST, "did not issue within 30 minutes", ca=certificate.attempt.ca)
    return poll(certificate, now, order.retry_at)
