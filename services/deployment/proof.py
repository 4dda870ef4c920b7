"""The proof of service: a TLS handshake with every edge address, to see which certificate shoppers get."""

import socket
import ssl
from collections.abc import Sequence

from cryptography import x509

from services.issuance.chain import serial_hex
from services.model.names import base, is_wildcard
from services.model.settings import Platform, Probing
from services.ports import Served


class TlsProbe:
    """Shakes hands with the platform's own addresses, which come from app.yaml and never from DNS."""

    def __init__(self, platform: Platform, probing: Probing) -> None:
        self._addresses = tuple(str(address) for address in platform.addresses)
        self._port = probing.https_port
        self._timeout = probing.timeout
        self._looking = _context(probing, verify=False)
        self._trusting = _context(probing, verify=True)

    def served(self, name: str) -> Sequence[Served]:
        """Return what each edge address serves for ``name``; see `services.ports.EdgeProbe`."""
        host = f"certdesk-probe.{base(name)}" if is_wildcard(name) else name
        return tuple(self._look(name, host, address) for address in self._addresses)

    def _look(self, name: str, host: str, address: str) -> Served:
        try:
            der = self._handshake(self._looking, address, host)
        except OSError as error:
            return Served(name, address, None, None, _reason(error))
        serial = serial_hex(x509.load_der_x509_certificate(der).serial_number)
        try:
            self._handshake(self._trusting, address, host)
        except OSError as error:
            return Served(name, address, serial, trusted=False, error=_reason(error))
        return Served(name, address, serial, trusted=True)

    def _handshake(self, context: ssl.SSLContext, address: str, host: str) -> bytes:
        """Return the leaf that is served, DER. Raises OSError (ssl.SSLError among them)."""
        with (
            socket.create_connection((address, self._port), timeout=self._timeout) as connection,
            context.wrap_socket(connection, server_hostname=host) as tls,
        ):
            return tls.getpeercert(binary_form=True) or b""


def _context(probing: Probing, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if probing.ca_bundle is not None:
        context.load_verify_locations(cafile=str(probing.ca_bundle))
    if not verify:  # the first look must see the certificate whoever signed it; the second one judges it
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.strerror or str(error) or type(error).__name__
