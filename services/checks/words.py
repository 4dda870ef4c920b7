"""What people read of troubles that the network or a server names by a word of its own."""

from collections.abc import Mapping

DNS: Mapping[str, str] = {
    "timeout": "no answer in time",
    "refused_connection": "connection refused",
    "truncated": "cut short, and no answer over TCP",
    "malformed": "an answer that cannot be read",
}
"""`services.checks.world.Answer.error` -> words; every other trouble is a word of its own: SERVFAIL, unreachable."""
WEB: Mapping[str, str] = {
    "timeout": "timed out",
    "refused": "connection refused",
    "reset": "connection broken off",
    "tls": "no TLS handshake",
    "not_http": "no HTTP",
    "not_tls": "no TLS",
    "malformed": "an answer that cannot be read",
    "local": "not seen from here",
}
"""`services.checks.world.Fetched.error` -> words."""


def dns_words(trouble: str) -> str:
    """Return how a trouble of DNS is told: an error or an rcode (`services.checks.world.Answer.trouble`)."""
    return DNS.get(trouble, trouble)


def web_words(error: str, detail: str) -> tuple[str, str]:
    """Return how an error of HTTP is told, and the detail unless it says the same again."""
    words = WEB.get(error, error)
    return words, "" if detail.lower() == words else detail
