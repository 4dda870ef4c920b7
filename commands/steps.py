"""What a merchant has to do about a finding, as lines to copy: the fix in words, then the DNS records as a zone has them. Pure."""

from collections.abc import Callable, Mapping, Sequence

from services.model.findings import Finding
from services.model.settings import Platform
from services.model.text import Text, say
from services.naming import registrable

Records = Sequence[tuple[str, str, str]]
"""Name, type and value of each record."""


def steps(finding: Finding, platform: Platform) -> tuple[Text, ...]:
    """Return the lines: the remedy, and the records that have to stand in DNS where the finding is about those."""
    rule = RECORDS.get(finding.code)
    records = () if rule is None else rule(finding.name, platform)
    return (finding.remedy, *(say("{record}", record="  ".join(record)) for record in records))


def _servers(name: str, platform: Platform) -> Records:
    domain = registrable(name) or name
    return [(f"{domain}.", "NS", f"{server}.") for server in platform.name_servers]


def _addresses(name: str, platform: Platform) -> Records:
    """Return where the name has to lead: by alias where it may, which follows when the platform moves."""
    if platform.cname_target and name != registrable(name):
        return [(f"{name}.", "CNAME", f"{platform.cname_target}.")]
    return [(f"{name}.", "A" if one.version == 4 else "AAAA", str(one)) for one in platform.addresses]


def _newer(name: str, platform: Platform) -> Records:
    return [(f"{name}.", "AAAA", str(one)) for one in platform.addresses if one.version == 6]


RECORDS: Mapping[str, Callable[[str, Platform], Records]] = {
    "dns.not_hosted": _servers,
    "dns.no_address": _addresses,
    "dns.nxdomain": _addresses,
    "dns.wrong_address": _addresses,
    "dns.private_address": _addresses,
    "dns.wrong_ipv6": _newer,
}
"""The records that mend what these findings say; for all others the words are enough."""
