"""What is never deployed: a chain whose key, names, order or validity does not fit, or a trial CA's over a trusted one."""

from collections.abc import Mapping
from datetime import datetime

from services.issuance.chain import fits, issuers
from services.model.certificates import Revision
from services.model.clock import Clock
from services.model.errors import DeployError
from services.model.settings import CaSettings
from services.model.text import Text, say
from services.ports import DeployTarget

TRIAL_NAMES = ("(STAGING)", "Fake LE ")
"""How Let's Encrypt marks what its staging CA signs, now and in former years (letsencrypt.org/docs/staging-environment)."""
TRIAL_DIRECTORIES = ("acme-staging", "//dv.acme-v02.test-api.pki.goog", "//api.test4.buypass.no")
"""Parts of the directory URLs of public CAs for trials, whose roots no browser has."""


def unfit(
    revision: Revision,
    key: str,
    now: datetime,
    *,
    installed: Revision | None = None,
    cas: Mapping[str, CaSettings],
) -> Text | None:
    """Return why ``revision`` must not be deployed in the place of ``installed``, or None if it may.

    ``cas`` are the CAs of app.yaml by name. What a trial CA signed may be deployed where nothing better is.
    """
    if reason := fits(revision.chain or "", key, revision.names, now):
        return reason
    if installed is None or not trial(revision, cas) or trial(installed, cas):
        return None
    return say(
        "{ca} is a CA for trials, which no browser trusts, and the certificate that is installed (serial {serial}) is one that "
        "browsers trust. certdesk leaves that in its place.",
        ca=revision.ca or "The CA",
        serial=installed.serial or "",
    )


def trial(revision: Revision, cas: Mapping[str, CaSettings]) -> bool:
    """Tell whether the revision comes from a CA for trials, by its chain or by its CA's directory."""
    ca = cas.get(revision.ca)
    if ca is not None and any(part in ca.directory for part in TRIAL_DIRECTORIES):
        return True
    return any(mark in issuer for issuer in issuers(revision.chain or "") for mark in TRIAL_NAMES)


class Guarded:
    """A deploy target that is handed nothing whose key, names, order or validity does not fit."""

    def __init__(self, target: DeployTarget, clock: Clock) -> None:
        self._target, self._clock = target, clock

    @property
    def name(self) -> str:
        """The target's name in app.yaml."""
        return self._target.name

    def deploy(self, revision: Revision, key: str) -> None:
        """Deploy what fits; raises DeployError, before the target is touched, for what does not."""
        if reason := fits(revision.chain or "", key, revision.names, self._clock()):
            raise DeployError(
                say("Target {target} was not given a certificate: {reason}", target=self.name, reason=reason)
            )
        self._target.deploy(revision, key)

    def current(self, name: str) -> str | None:
        """See `DeployTarget`."""
        return self._target.current(name)

    def remove(self, name: str) -> None:
        """See `DeployTarget`."""
        self._target.remove(name)

    def discard(self, revision: Revision) -> bool:
        """See `DeployTarget`."""
        return self._target.discard(revision)
