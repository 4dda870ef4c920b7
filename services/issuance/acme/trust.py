"""Whose certificates, and which proxy, a connection to a CA goes by: read from the machine once for each session."""

import ssl
from pathlib import Path

from requests.utils import get_environ_proxies


def roots(ca_bundle: str | None) -> str | bool:
    """Return what `requests` verifies with: the bundle of app.yaml, else the system's roots, else those shipped with it."""
    if ca_bundle is not None:
        return ca_bundle
    system = ssl.get_default_verify_paths()  # honours SSL_CERT_FILE and SSL_CERT_DIR
    if system.cafile:
        return system.cafile
    if system.capath and any(Path(system.capath).iterdir()):
        return system.capath
    return True


def proxies_for(url: str) -> dict[str, str]:
    """Return the proxies that HTTPS_PROXY and NO_PROXY of the environment mean for ``url``."""
    return dict(get_environ_proxies(url, no_proxy=None))
