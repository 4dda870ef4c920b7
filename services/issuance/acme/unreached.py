"""Why a CA could not be reached, in one sentence: a table from kinds of failure to what a person should know."""

import ssl
from collections.abc import Sequence

import requests
import urllib3

_SENTENCES: Sequence[tuple[type[BaseException] | tuple[type[BaseException], ...], str]] = (
    # the first that fits counts, so the special ones stand first
    (
        ssl.SSLCertVerificationError,
        "The TLS certificate of {host} could not be verified ({reason}); check acme.cas[].ca_bundle.",
    ),
    (requests.exceptions.ProxyError, "The proxy on the way to {host} refused ({reason})."),
    (requests.exceptions.SSLError, "TLS with {host} failed ({reason})."),
    (requests.exceptions.ConnectTimeout, "{host} could not be connected to in time."),
    (
        (requests.Timeout, urllib3.exceptions.TimeoutError),
        "{host} did not answer within {seconds:g} seconds.",
    ),
    ((requests.ConnectionError, urllib3.exceptions.HTTPError), "The connection to {host} failed ({reason})."),
    (requests.RequestException, "The answer of {host} could not be used ({reason})."),
    (OSError, "{host} could not be asked ({reason})."),
)


def why(error: BaseException, host: str, seconds: float) -> str:
    """Return the sentence for a failure to get a whole reply from ``host`` within a budget of ``seconds``."""
    chain = _chain(error)
    root = chain[-1]
    for kind, sentence in _SENTENCES:
        if any(isinstance(each, kind) for each in (error, root)):
            return sentence.format(host=host, seconds=seconds, reason=_reason(root))
    return f"{host} could not be asked ({_reason(root)})."


def _chain(error: BaseException) -> list[BaseException]:
    """Return the error and what caused it, down to the system's own word."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    return chain


def _reason(root: BaseException) -> str:
    if isinstance(root, ssl.SSLCertVerificationError):
        return root.verify_message
    if isinstance(root, OSError) and root.strerror:
        return root.strerror
    return str(root) or type(root).__name__
