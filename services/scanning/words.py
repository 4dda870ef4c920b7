"""Why something could not be fetched, in a sentence."""

from collections.abc import Mapping

from services.model.text import Phrase, Text
from services.ports.scanning import Fetched
from services.scanning import urls

_WHY: Mapping[str, Phrase] = {
    "not_public": Phrase("Its address {detail} is not public, and certdesk connects to public ones alone."),
    "no_address": Phrase("Its host has no address in DNS."),
    "port": Phrase("It is on {detail}, and certdesk asks on the usual ports alone."),
    "untrusted": Phrase("Its certificate is not trusted: {detail}."),
    "tls": Phrase("It does not speak TLS as it should: {detail}."),
    "timeout": Phrase("It does not answer in time."),
    "refused": Phrase("It refuses connections."),
}
_ELSE = Phrase("It could not be fetched: {detail}.")


def unfetched(answer: Fetched) -> Text:
    """Return why there is no answer, in a sentence."""
    return _WHY.get(answer.error, _ELSE).said(detail=urls.shortened(answer.detail.rstrip(".")))
