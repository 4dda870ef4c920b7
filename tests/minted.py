"""Revisions with a real key and a chain that a small CA signed, for tests of deploy targets."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.issuance.chain import read_chain
from services.issuance.csr import load_key, make_csr, new_key
from services.model.certificates import Revision


@dataclass
class Mint:
    """A CA in memory; `now` is when it signs."""

    title: str = "Minted root"
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    made: int = 0

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.title)])
        self._root = (
            self._builder(self.name, self._key.public_key(), timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def root(self) -> str:
        """The root, PEM, which a client may trust."""
        return self._root.public_bytes(serialization.Encoding.PEM).decode()

    def revision(
        self, *names: str, lasts: timedelta = timedelta(days=90), ca: str = "minted"
    ) -> tuple[Revision, str]:
        """Return an issued revision for ``names`` and its private key, PEM. Its sealed key is empty."""
        self.made += 1
        key = new_key("ec-p256")
        leaf = (
            self._builder(x509.Name([]), load_key(key).public_key(), lasts)  # type: ignore[arg-type] # an EC key
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        chain = leaf.public_bytes(serialization.Encoding.PEM).decode() + self.root
        read = read_chain(chain)
        revision = Revision(
            id=f"rev_{self.made:03}",
            certificate="cert_1",
            names=names,
            csr=make_csr(names, key),
            sealed_key=b"",
            created_at=self.now,
            ca=ca,
            chain=chain,
            serial=read.serial,
            not_before=read.not_before,
            not_after=read.not_after,
        )
        return revision, key

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(hours=1))
            .not_valid_after(self.now + lasts)
        )
