"""The adapter between certdesk and ACME CAs (RFC 8555, RFC 9773) on top of the acme library."""

from services.issuance.acme.authority import AcmeCa

__all__ = ["AcmeCa"]
