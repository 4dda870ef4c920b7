"""The ACME account at one CA: made at first need, shared by all processes, healed when the CA has forgotten it."""

from dataclasses import replace
from threading import Lock
from typing import Any

from acme.messages import Directory as AcmeDirectory
from acme.messages import ExternalAccountBinding

from services.issuance.acme.documents import Directory
from services.issuance.acme.errors import PREFIX, Where
from services.issuance.acme.jws import Signer
from services.issuance.acme.wire import Post, Wire
from services.issuance.csr import new_key
from services.model.clock import Clock
from services.model.errors import CaError, CaTrouble, VaultError
from services.model.settings import CaSettings
from services.model.text import say
from services.ports import Account, Storage, Vault

UNKNOWN = PREFIX + "accountDoesNotExist"
"""What a CA answers that does not know the account, as a test CA does after each start (RFC 8555 §6.7)."""


class AccountDesk:
    """Gives the signer of the one account for a directory. Any thread may ask.

    The key is saved, sealed, before the CA hears of it, in a row without URL: whichever process wins the insert, all
    register with that one key, and registering a key twice gives the same account (RFC 8555 §7.3.1). So a crash
    or a race at any point loses nothing and leaves no second account behind.
    """

    def __init__(self, settings: CaSettings, storage: Storage, vault: Vault, clock: Clock) -> None:
        self._settings, self._storage, self._vault, self._clock = settings, storage, vault, clock
        self._signer: Signer | None = None
        self._registering = Lock()

    def key_authorization(self, token: str) -> str:
        """Return the key authorization (§8.1); it needs the account's key, not the CA. Raises VaultError."""
        return (self._signer or self._signer_of(self._stored())).key_authorization(token)

    def signer(self, wire: Wire, directory: Directory) -> Signer:
        """Return the registered account's signer; registers at first need. Raises CaError, VaultError."""
        signer = self._signer
        if signer is None or not signer.account:
            signer = self._registered(wire, directory, None)
        return signer

    def signer_anew(self, forgotten: Signer, wire: Wire, directory: Directory) -> Signer:
        """Return a signer whose account the CA knows, after it said that it does not know that of ``forgotten``."""
        return self._registered(wire, directory, forgotten)

    def _registered(self, wire: Wire, directory: Directory, forgotten: Signer | None) -> Signer:
        # One thread registers while the others wait, as long as a call may take at most.
        if not self._registering.acquire(timeout=wire.seconds_left()):
            raise CaError(
                CaTrouble.UNAVAILABLE, "The account is still being registered.", ca=self._settings.name
            )
        try:
            held = self._signer
            if held is not None and held is not forgotten and held.account:
                return held
            signer = self._signer_of(self._stored())
            if not signer.account or (forgotten is not None and signer.account == forgotten.account):
                signer = self._register(wire, directory, signer)
            self._signer = signer
            return signer
        finally:
            self._registering.release()

    def _stored(self) -> Account:
        """Return the stored account; without one, make its key and save that first."""
        directory = self._settings.directory
        with self._storage.read() as tx:
            found = tx.accounts.get(directory)
        if found is not None:
            return found
        draft = Account(self._settings.name, directory, "", b"", self._clock())
        key = new_key("ec-p256").encode("ascii")
        made = replace(draft, sealed_key=self._vault.seal(key, draft.binding))
        with self._storage.write() as tx:
            return tx.accounts.add(made)

    def _signer_of(self, account: Account) -> Signer:
        """Return the account's signer. Raises VaultError, which is certdesk's own fault and nothing of the CA's."""
        key = self._vault.open(account.sealed_key, account.binding)
        try:
            return Signer(key, account.url)
        except ValueError as error:
            text = say(
                "What is sealed as the key of the ACME account at {ca} is no private key. Restore the row of {directory} "
                "from a backup.",
                ca=account.ca,
                directory=account.directory,
            )
            raise VaultError(text) from error

    def _register(self, wire: Wire, directory: Directory, signer: Signer) -> Signer:
        """Register the key (§7.3): a new account, or the one that the CA has for it already."""
        bare = signer.moved("")
        post = Post(directory.new_account, self._new_account(directory, bare), where=Where.ENDPOINT)
        reply = wire.send(post, bare, directory.new_nonce)
        if not reply.location:
            detail = "The CA registered the account without saying its URL."
            raise CaError(CaTrouble.UNAVAILABLE, detail, ca=self._settings.name)
        with self._storage.write() as tx:
            stored = tx.accounts.get(self._settings.directory)
            if stored is not None and stored.url != reply.location:
                tx.accounts.replace(replace(stored, url=reply.location))
        return signer.moved(reply.location)

    def _new_account(self, directory: Directory, signer: Signer) -> dict[str, Any]:
        payload: dict[str, Any] = {"termsOfServiceAgreed": True}
        if self._settings.contact:
            payload["contact"] = list(self._settings.contact)
        if self._settings.eab_kid and self._settings.eab_hmac:
            payload["externalAccountBinding"] = self._binding(directory, signer)
        return payload

    def _binding(self, directory: Directory, signer: Signer) -> dict[str, Any]:
        """Return the external account binding (§7.3.4). Raises CaError for a key that is not base64url."""
        try:
            return ExternalAccountBinding.from_data(
                signer.jwk.public_key(),
                self._settings.eab_kid or "",
                (self._settings.eab_hmac or "").rstrip("="),
                AcmeDirectory({"newAccount": directory.new_account}),
            )
        except ValueError as error:
            detail = "The external account binding key (acme.cas[].eab_hmac) is not base64url."
            raise CaError(CaTrouble.ACCOUNT, detail, ca=self._settings.name) from error
