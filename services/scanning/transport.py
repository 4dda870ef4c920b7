"""How a name itself answers: whether http:// leads to https, and whether browsers are told to ask for https alone (RFC 6797)."""

import re
from collections.abc import Callable

from services.model.scans import Transport
from services.ports.scanning import Fetcher
from services.scanning import urls
from services.scanning.crawl import MOST_REDIRECTS, REDIRECTS

_MAX_AGE = re.compile(r"\s*max-age\s*=\s*\"?([0-9]{1,12})\"?\s*", re.IGNORECASE)
_LITTLE = 1024


def look(fetcher: Fetcher, name: str, own: Callable[[str], bool], hsts: str) -> Transport:
    """Return how ``name`` answers over http://; ``hsts`` is its field Strict-Transport-Security, empty without one."""
    age, subdomains = _hsts(hsts)
    chain = [f"http://{name}/"]
    while True:
        answer = fetcher.fetch(chain[-1], _LITTLE)
        if not answer.status:
            refused = len(chain) == 1 and answer.error == "refused"
            return Transport("closed" if refused else "unknown", tuple(chain), age, subdomains)
        if answer.status not in REDIRECTS or "location" not in answer.fields:
            # a server that answers with an error serves nothing over http://
            return Transport("missing" if answer.found else "unknown", tuple(chain), age, subdomains)
        led = urls.joined(answer.fields["location"], chain[-1])
        if not led.startswith(("http:", "https:")):
            return Transport("unknown", tuple(chain), age, subdomains)
        chain.append(led)
        if not own(urls.host_of(chain[-1])):
            return Transport("elsewhere", tuple(chain), age, subdomains)
        if chain[-1].startswith("https:"):
            return Transport("https" if len(chain) == 2 else "detour", tuple(chain), age, subdomains)
        if len(chain) > MOST_REDIRECTS:
            return Transport("missing", tuple(chain), age, subdomains)


def _hsts(field: str) -> tuple[int | None, bool]:
    """Return max-age in seconds, and whether sub-domains are meant too; of several fields the first counts (RFC 6797 §8.1)."""
    directives = field.partition(",")[0].split(";")
    ages = [int(match[1]) for one in directives if (match := _MAX_AGE.fullmatch(one))]
    return (ages[0] if ages else None), any(one.strip().lower() == "includesubdomains" for one in directives)
