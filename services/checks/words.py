"""What people read of troubles that the network or a server names by a word of its own."""

from collections.abc import Mapping

from services.model.text import Text, say

DNS: Mapping[str, Text] = {
    "timeout": say("no answer in time"),
    "refused_connection": say("connection refused"),
    "truncated": say("cut short, and no answer over TCP"),
    "malformed": say("an answer that cannot be read"),
}
"""`services.checks.world.Answer.error` -> words; every other trouble is a word of its own: SERVFAIL, unreachable."""
WEB: Mapping[str, Text] = {
    "timeout": say("timed out"),
    "refused": say("connection refused"),
    "reset": say("connection broken off"),
    "tls": say("no TLS handshake"),
    "not_http": say("no HTTP"),
    "not_tls": say("no TLS"),
    "malformed": say("an answer that cannot be read"),
    "local": say("not seen from here"),
}
"""`services.checks.world.Fetched.error` -> words."""


NO_ADDRESS, AN_ALIAS = "no address", "an alias"
TOO_MANY, NOT_PUBLIC, NOT_AUTHORITATIVE = "too many", "not public", "not authoritative"
NO_ADDRESS_BUT = f"{NO_ADDRESS}, "
"""Before an error that the question for a name server's address met."""
SERVERS: Mapping[str, Text] = {
    NO_ADDRESS: say("no address"),
    AN_ALIAS: say("an alias (CNAME), which name servers must not be"),
    TOO_MANY: say("not asked: too many name servers"),
    NOT_PUBLIC: say("not asked: not a public address"),
    NOT_AUTHORITATIVE: say("not authoritative"),
}
"""What certdesk itself says of a name server -> words."""


def dns_words(trouble: str) -> Text:
    """Return how a trouble of DNS is told: an error or an rcode (`services.checks.world.Answer.trouble`), or one of `SERVERS`."""
    if trouble.startswith(NO_ADDRESS_BUT):
        return say("no address, {why}", why=dns_words(trouble.removeprefix(NO_ADDRESS_BUT)))
    return DNS.get(trouble) or SERVERS.get(trouble) or say("{said}", said=trouble)


def web_words(error: str, detail: str) -> tuple[Text, str]:
    """Return how an error of HTTP is told, and the detail unless it says the same again."""
    words = WEB.get(error) or say("{said}", said=error)
    return words, "" if detail.lower() == words.plain() else detail
