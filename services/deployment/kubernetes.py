"""Deploy target ``kubernetes``: a secret of type kubernetes.io/tls for each name, which the cluster's ingress serves."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from services.deployment.kubernetes_api import Access, ChangedError, KubernetesError, Secret, Secrets
from services.issuance.chain import fits, read_chain
from services.model.certificates import Revision
from services.model.errors import DeployError
from services.model.names import base, is_wildcard
from services.model.text import say

OURS = {"app.kubernetes.io/managed-by": "certdesk"}
"""The label by which a secret is certdesk's to change; any other is left alone."""
NAME, SERIAL = "certdesk/name", "certdesk/serial"
"""Annotations for who looks at a secret."""
WILDCARD = ".wildcard"
"""Ends the name of a wildcard's secret; no domain ends so."""
LONGEST = 253
"""Characters in a secret's name (RFC 1123 subdomain)."""
TRIES = 10
"""Rounds before another one that writes the same secrets again and again is told of."""
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PREFIX = re.compile(
    r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9][a-z0-9-]*|([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*"
)


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """The keys of a target of kind ``kubernetes``."""

    namespace: str = ""
    """Where the secrets are; left out: the namespace of certdesk's own pod."""
    prefix: str = ""
    """What the secrets' names begin with, before the domain name."""
    server: str = ""
    """The API's URL; left out: the cluster that certdesk runs in."""
    ca_file: Path | None = None
    """Who signed the API's certificate; left out: what the pod was given."""
    token_file: Path | None = None
    """The token of the service account; left out: the pod's own."""

    def __post_init__(self) -> None:
        """Raise ValueError for names that Kubernetes does not take, and for a server that a key must not go to."""
        if self.namespace and not _LABEL.fullmatch(self.namespace):
            raise ValueError("namespace: lower-case letters, digits and hyphens are needed, 63 at most")
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError("prefix: lower-case letters, digits, hyphens and dots are needed")
        if self.server and not self.server.startswith("https://"):
            raise ValueError("server: a URL that begins with https:// is needed, since keys go there")


class KubernetesTarget:
    """Keeps one secret for each name. Every write is checked by the API before the first one is done."""

    def __init__(self, name: str, settings: KubernetesSettings, seconds: float = 10.0) -> None:
        """``seconds`` is how long the API may say nothing."""
        self.name = name
        self._prefix = settings.prefix
        self._access = Access(
            settings.namespace, settings.server, settings.ca_file, settings.token_file, seconds
        )

    def deploy(self, revision: Revision, key: str) -> None:
        """Write the secret of each name; see `DeployTarget`."""
        self._agreeing(lambda secrets: self._write(secrets, revision, key))

    def current(self, name: str) -> str | None:
        """Return the serial number of the certificate in the name's secret; see `DeployTarget`."""
        with self._told(), Secrets(self._access) as secrets:
            found = secrets.read(self._secret_name(name))
        if found is None or not _is_ours(found) or fits(found.chain, found.key, ()) is not None:
            return None
        return read_chain(found.chain).serial

    def remove(self, name: str) -> None:
        """Delete the name's secret; one that is not ours stays."""
        self._agreeing(lambda secrets: self._delete(secrets, self._secret_name(name)))

    def discard(self, revision: Revision) -> bool:  # noqa: ARG002 - nothing is kept here
        """Return True: nothing is kept."""
        return True

    def _agreeing(self, act: Callable[[Secrets], None]) -> None:
        """Do what reads and then writes, anew if another process of ours has written between; raises DeployError."""
        with self._told(), Secrets(self._access) as secrets:
            for _ in range(TRIES - 1):
                with contextlib.suppress(ChangedError):
                    act(secrets)
                    return
            act(secrets)

    def _delete(self, secrets: Secrets, secret: str) -> None:
        found = secrets.read(secret)
        if found is not None and _is_ours(found):
            secrets.delete(found)

    def _write(self, secrets: Secrets, revision: Revision, key: str) -> None:
        """Read what is there, have every write checked, then write. Raises ChangedError, KubernetesError, DeployError."""
        wanted = [self._wanted(name, revision, key) for name in revision.names]
        there = {one.name: secrets.read(one.name) for one in wanted}
        self._spare([one for one in there.values() if one is not None])
        owed = [
            replace(one, version=known.version if known else "")
            for one in wanted
            if (known := there[one.name]) is None or (known.chain, known.key) != (one.chain, one.key)
        ]
        for one in owed:
            secrets.write(one, rehearsed=True)
        for one in owed:
            secrets.write(one)

    def _wanted(self, name: str, revision: Revision, key: str) -> Secret:
        notes = {NAME: name, SERIAL: revision.serial or ""}
        return Secret(self._secret_name(name), revision.chain or "", key, OURS, notes)

    def _secret_name(self, name: str) -> str:
        made = self._prefix + (base(name) + WILDCARD if is_wildcard(name) else name)
        if len(made) > LONGEST:
            raise DeployError(
                say(
                    "Target {target} has no secret for {name}: {secret} is longer than Kubernetes takes.",
                    target=self.name,
                    name=name,
                    secret=made,
                )
            )
        return made

    def _spare(self, there: Sequence[Secret]) -> None:
        """Raise DeployError for a secret that somebody else has made."""
        for one in there:
            if not _is_ours(one):
                raise DeployError(
                    say(
                        "Target {target}: the secret {secret} in {namespace} is not certdesk's and is left alone: it lacks the "
                        "label {label}. Delete it, give it the label, or set another prefix.",
                        target=self.name,
                        secret=one.name,
                        namespace=self._access.space(),
                        label="=".join(next(iter(OURS.items()))),
                    )
                )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise DeployError, with the target's name, for what the API says."""
        try:
            yield
        except KubernetesError as error:
            raise DeployError(say("Target {target}: {why}.", target=self.name, why=error.text)) from error


def _is_ours(secret: Secret) -> bool:
    return OURS.items() <= dict(secret.labels).items()
