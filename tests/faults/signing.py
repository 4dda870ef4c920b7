"""Keys that sign zones of the lab (RFC 4034), well or badly."""

import time

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

WELL, EXPIRED, UNPROVEN, STRANGE = "well", "expired", "unproven", "strange"
"""How a zone is signed: well; with signatures that have ended; without proof of what is missing (no NSEC); or well, but
by another key than the parent's DS names."""
_DAY = 86400


class Key:
    """Signs a zone with one key, as a registry would."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._public = dns.dnssec.make_dnskey(
            self._private.public_key(),
            dns.dnssectypes.Algorithm.ECDSAP256SHA256,
            flags=257,  # zone key and secure entry point (RFC 4034 §2.1.1)
        )

    @property
    def anchor(self) -> str:
        """The key as BIND's trust-anchors takes it."""
        flags, protocol, algorithm, *key = self._public.to_text().split()
        return (
            f'trust-anchors {{ {self._zone} static-key {flags} {protocol} {algorithm} "{"".join(key)}"; }};\n'
        )

    @property
    def ds(self) -> str:
        """The DS record that the parent should have (RFC 4034 §5), as a line of its master file."""
        name = dns.name.from_text(self._zone)
        made = dns.dnssec.make_ds(name, self._public, dns.dnssectypes.DSDigest.SHA256)
        return f"{name} 60 DS {made.to_text()}\n"

    def sign(self, text: str, manner: str = WELL) -> str:
        """Return the master file ``text``, signed in that manner."""
        zone = dns.zone.from_text(text, self._zone, relativize=False)
        now = int(time.time())
        ends = now - _DAY if manner == EXPIRED else now + _DAY
        with zone.writer() as txn:
            dns.dnssec.sign_zone(
                zone,
                txn,
                keys=[(self._private, self._public)],
                inception=ends - 2 * _DAY,
                expiration=ends,
                dnskey_ttl=60,
            )
        if manner == UNPROVEN:
            for name in [*zone.nodes]:
                zone.delete_rdataset(name, dns.rdatatype.NSEC)
                zone.delete_rdataset(name, dns.rdatatype.RRSIG, dns.rdatatype.NSEC)
        return str(zone.to_text(relativize=False))
