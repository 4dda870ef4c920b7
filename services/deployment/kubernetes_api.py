"""The secrets of a namespace over the Kubernetes API: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/.

Four plain requests; why without a client library, docs/decisions/0031-four-requests-to-kubernetes.md says.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import requests

from services.model.errors import CertdeskError
from services.model.text import say

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token, its CA and its namespace (Kubernetes documentation, "Accessing the Kubernetes API from a Pod")."""
TLS = "kubernetes.io/tls"
CHAIN, KEY = "tls.crt", "tls.key"
"""The two entries that a secret of this type has."""
DRY_RUN = {"dryRun": "All"}
"""Every check of a write, and no write."""


class KubernetesError(CertdeskError):
    """The API does not answer, or refuses what was asked; the sentence says which and why."""


class ChangedError(KubernetesError):
    """Somebody else has written the secret since it was read."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of type kubernetes.io/tls."""

    name: str
    chain: str
    """PEM."""
    key: str
    """PEM."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    version: str = ""
    """Its resourceVersion; empty for one that is not there yet."""

    def as_json(self) -> dict[str, Any]:
        """Return the object of the API."""
        metadata: dict[str, Any] = {
            "name": self.name,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
        }
        if self.version:
            metadata["resourceVersion"] = self.version
        data = {CHAIN: _encoded(self.chain), KEY: _encoded(self.key)}
        return {"apiVersion": "v1", "kind": "Secret", "type": TLS, "metadata": metadata, "data": data}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secret(found: Mapping[str, Any]) -> Secret:
    """Return the secret of an object of the API; an entry that is missing or no text is empty."""
    metadata, data = found.get("metadata") or {}, found.get("data") or {}
    texts = {
        entry: base64.b64decode(data.get(entry) or "").decode(errors="replace") for entry in (CHAIN, KEY)
    }
    return Secret(
        name=metadata.get("name") or "",
        chain=texts[CHAIN],
        key=texts[KEY],
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        version=metadata.get("resourceVersion") or "",
    )


@dataclass(frozen=True, slots=True)
class Access:
    """How the API is reached; what is left out is what a pod of the cluster finds."""

    namespace: str = ""
    server: str = ""
    ca_file: Path | None = None
    token_file: Path | None = None
    seconds: float = 10.0
    """How long the API may say nothing."""

    def url(self) -> str:
        """Return the URL of the namespace's secrets. Raises KubernetesError outside of a cluster without ``server``."""
        return f"{self.host()}/api/v1/namespaces/{self.space()}/secrets"

    def host(self) -> str:
        """Return the API's base URL."""
        if self.server:
            return self.server.rstrip("/")
        host, port = (os.environ.get(f"KUBERNETES_SERVICE_{word}", "") for word in ("HOST", "PORT"))
        if not host:
            raise KubernetesError(
                say("server is not set, and certdesk does not run in a cluster that would tell it")
            )
        return f"https://{f'[{host}]' if ':' in host else host}:{port or 443}"

    def space(self) -> str:
        """Return the namespace."""
        return self.namespace or _read(ACCOUNT / "namespace")


class Secrets:
    """The secrets of one namespace. For one thread at a time; `close` it, or use it as a context."""

    def __init__(self, access: Access) -> None:
        """Read the token anew: a pod's is replaced from time to time. Raises KubernetesError."""
        self._url, self._host, self._seconds = access.url(), access.host(), access.seconds
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy or a netrc of the surroundings is not for the token
        self._session.verify = str(access.ca_file or ACCOUNT / "ca.crt")
        token = _read(access.token_file or ACCOUNT / "token")
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def read(self, name: str) -> Secret | None:
        """Return the secret, None if there is none. Raises KubernetesError."""
        answer = self._ask("GET", f"/{name}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        return _secret(self._good(answer))

    def write(self, secret: Secret, *, rehearsed: bool = False) -> None:
        """Create the secret, or replace the one of its version; ``rehearsed`` has everything checked and nothing written.

        Raises ChangedError if it is not the one of that version any more, or is there meanwhile, and KubernetesError.
        """
        method, path = ("PUT", f"/{secret.name}") if secret.version else ("POST", "")
        answer = self._ask(method, path, DRY_RUN if rehearsed else {}, secret.as_json())
        gone = secret.version and answer.status_code == HTTPStatus.NOT_FOUND
        self._good(answer, changed=bool(gone))

    def delete(self, secret: Secret) -> None:
        """Delete the secret of this version. Raises ChangedError, KubernetesError; one that is gone is no error."""
        options = {"preconditions": {"resourceVersion": secret.version}}
        answer = self._ask("DELETE", f"/{secret.name}", {}, options)
        if answer.status_code != HTTPStatus.NOT_FOUND:
            self._good(answer)

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                self._url + path,
                params=query,
                json=body,
                timeout=self._seconds,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            raise KubernetesError(
                say(
                    "the Kubernetes API at {server} cannot be asked ({why})",
                    server=self._host,
                    why=_reason(error),
                )
            ) from error

    def _good(self, answer: requests.Response, *, changed: bool = False) -> Mapping[str, Any]:
        """Return what was answered. Raises ChangedError for a conflict, KubernetesError for another refusal."""
        try:
            found = answer.json()
        except requests.JSONDecodeError:
            found = None
        if answer.ok and isinstance(found, dict):
            return found
        # a refusal is a Status object; its message names objects and fields, and values only of what is no secret
        said = found.get("message") if isinstance(found, dict) else None
        why = say(
            "the Kubernetes API at {server} answers {status}: {why}",
            server=self._host,
            status=answer.status_code,
            why=str(said or answer.reason or "").rstrip("."),
        )
        if changed or answer.status_code == HTTPStatus.CONFLICT:
            raise ChangedError(why)
        raise KubernetesError(why)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise KubernetesError(say("{path} cannot be read: {why}", path=str(path), why=why or "")) from error


def _reason(error: Exception) -> str:
    """Return the innermost words of what went wrong: those around it name the libraries between."""
    inner: BaseException = error
    while (under := inner.__cause__ or inner.__context__) is not None:
        inner = under
    return str(getattr(inner, "strerror", None) or inner) or type(inner).__name__
