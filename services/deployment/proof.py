"""The proof of service: a TLS handshake with every edge address, to see which certificate shoppers get."""

import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace

from cryptography import x509

from services.issuance.chain import serial_hex
from services.model.names import base, is_wildcard
from services.model.settings import Platform, Probing
from services.ports import Served

_PEM = r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?"


class TlsProbe:
    """Shakes hands with the platform's own addresses, which come from app.yaml and never from DNS."""

    def __init__(self, platform: Platform, probing: Probing) -> None:
        self._addresses = tuple(str(address) for address in platform.addresses)
        self._port = probing.https_port
        self._timeout = probing.timeout
        self._probing = probing
        self._looking = _context(probing, verify=False)
        self._trusting = _context(probing, verify=True)

    def served(self, name: str, chain: str = "") -> Sequence[Served]:
        """Return what each edge address serves for ``name``; see `services.ports.EdgeProbe`."""
        host = f"certdesk-probe.{base(name)}" if is_wildcard(name) else name
        return tuple(self._look(name, host, address, chain) for address in self._addresses)

    def _look(self, name: str, host: str, address: str, chain: str) -> Served:
        try:
            der, protocol = self._handshake(self._looking, address, host)
        except OSError as error:
            return Served(name, address, None, None, _reason(error))
        leaf = x509.load_der_x509_certificate(der)
        seen = Served(
            name,
            address,
            serial_hex(leaf.serial_number),
            trusted=True,
            not_after=leaf.not_valid_after_utc,
            protocol=protocol,
        )
        try:
            self._handshake(self._trusting, address, host)
        except OSError as error:
            incomplete = isinstance(error, ssl.SSLCertVerificationError) and self._lacks(address, host, chain)
            return replace(seen, trusted=False, error=_reason(error), incomplete=incomplete)
        return seen

    def _lacks(self, address: str, host: str, chain: str) -> bool:
        """Tell whether what is not trusted would be, if the CA's certificates of ``chain`` were served with it."""
        issuers = "".join(re.findall(_PEM, chain)[1:])
        if not issuers:
            return False
        knowing = _context(self._probing, verify=True)
        try:
            knowing.load_verify_locations(cadata=issuers)
            self._handshake(knowing, address, host)
        except OSError:
            return False
        return True

    def _handshake(self, context: ssl.SSLContext, address: str, host: str) -> tuple[bytes, str]:
        """Return the leaf that is served, DER, and the version of TLS. Raises OSError (ssl.SSLError among them)."""
        with (
            socket.create_connection((address, self._port), timeout=self._timeout) as connection,
            context.wrap_socket(connection, server_hostname=host) as tls,
        ):
            return tls.getpeercert(binary_form=True) or b"", tls.version() or ""


def _context(probing: Probing, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if probing.ca_bundle is not None:
        context.load_verify_locations(cafile=str(probing.ca_bundle))
    # a chain has to lead to a root, whatever else is known (Python 3.13 lets it end before)
    context.verify_flags &= ~ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:  # the first look must see the certificate whoever signed it; the second one judges it
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.strerror or str(error) or type(error).__name__
