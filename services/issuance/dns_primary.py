"""The primary name server that takes dynamic updates (RFC 2136) signed with TSIG (RFC 8945): reading and writing there."""

import binascii
from collections.abc import Mapping, Sequence
from ipaddress import ip_address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update

from services.model.errors import DnsUpdateError
from services.model.settings import DnsUpdate
from services.model.text import Phrase, Text, say

TTL = 60
"""Seconds that resolvers may keep an answer: short, because it is wanted once."""

Name = dns.name.Name

_RCODES: Mapping[dns.rcode.Rcode, Phrase] = {
    dns.rcode.NOTAUTH: Phrase(
        "{server} answered NOTAUTH to the update of the zone {zone}: it is not the zone's primary, or does "
        "not know the TSIG key {key}. On-call: check dns.update.server and dns.update.key_name."
    ),
    dns.rcode.REFUSED: Phrase(
        "{server} refused (REFUSED) the update of the zone {zone} with the TSIG key {key}. "
        "On-call: allow that key to change TXT records in the zone."
    ),
    dns.rcode.NOTIMP: Phrase(
        "{server} takes no dynamic updates (NOTIMP) for the zone {zone}. "
        "On-call: switch them on, or name another server in dns.update.server."
    ),
    dns.rcode.SERVFAIL: Phrase(
        "{server} failed (SERVFAIL) at the update of the zone {zone} with the TSIG key {key}. "
        "On-call: read its log; often the zone's files cannot be written."
    ),
}
_OTHER_RCODE = Phrase(
    "{server} answered {rcode} to the update of the zone {zone} with the TSIG key {key}. "
    "On-call: read that server's log."
)
_FAILURES: Sequence[tuple[tuple[type[BaseException], ...], Phrase]] = (
    # the first that fits counts
    (
        (dns.tsig.PeerBadKey,),
        Phrase("{server} does not know the TSIG key {key} (BADKEY). On-call: check dns.update.key_name and the server's keys."),
    ),
    (
        (dns.tsig.PeerBadSignature, dns.tsig.BadSignature),
        Phrase("{server} and certdesk have different secrets for the TSIG key {key} (BADSIG). On-call: check dns.update.key_secret and dns.update.algorithm."),
    ),
    (
        (dns.tsig.PeerBadTime, dns.tsig.BadTime),
        Phrase("The clocks of {server} and of this machine differ by minutes (BADTIME). On-call: set both by NTP."),
    ),
    (
        (binascii.Error, KeyError, NotImplementedError, dns.exception.SyntaxError),
        Phrase("The TSIG key {key} cannot be used ({reason}). On-call: dns.update.key_secret must be base64 and dns.update.algorithm one such as hmac-sha256."),
    ),
    ((dns.exception.Timeout,), Phrase("{server} did not answer within {timeout} seconds. On-call: check dns.update.server and the way there.")),
    ((OSError, EOFError), Phrase("{server} cannot be reached ({reason}). On-call: check dns.update.server and the way there.")),
    ((dns.exception.DNSException,), Phrase("{server} answered something that is no proper DNS message ({reason}). On-call: read its log.")),
)  # fmt: skip


def address_and_port(text: str, port: int) -> tuple[str, int]:
    """Return the address and port of ``ADDRESS``, ``ADDRESS:PORT`` or ``[IPv6]:PORT``; ``port`` where none is given.

    Raises DnsUpdateError for a text that is none of these.
    """
    try:
        return str(ip_address(text.strip("[]"))), port
    except ValueError:
        host, _, given = text.rpartition(":")
    try:
        return str(ip_address(host.strip("[]"))), int(given)
    except ValueError:
        raise DnsUpdateError(
            say(
                "dns.update.server is {server}, which is neither an address nor ADDRESS:PORT. On-call: correct it in app.yaml.",
                server=text,
            )
        ) from None


def exchange(message: dns.message.Message, address: str, port: int, timeout: float) -> dns.message.Message:
    """Return the reply: over UDP, over TCP if it is truncated or does not come. Each way has ``timeout`` seconds.

    Raises what dnspython raises, OSError or EOFError.
    """
    try:
        return dns.query.udp_with_fallback(message, address, timeout, port, ignore_unexpected=True)[0]
    except dns.exception.Timeout:
        return dns.query.tcp(message, address, timeout, port)


def question(name: Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
    """Return a question to an authoritative server: no recursion wanted."""
    message = dns.message.make_query(name, kind)
    message.flags &= ~dns.flags.RD
    return message


def rrset(message: dns.message.Message, name: Name, kind: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
    """Return the answer's records of this owner and type; records further down a CNAME chain are not meant."""
    return next((each for each in message.answer if each.name == name and each.rdtype == kind), None)


class Primary:
    """The primary server of dns.update. Holds no connection; any thread may use it."""

    def __init__(self, update: DnsUpdate, timeout: float) -> None:
        self._update, self._timeout = update, timeout
        self.address, self.port = address_and_port(update.server, update.port)

    @property
    def shown(self) -> str:
        """How people write it."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    def ask(self, name: Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        """Return what it answers. Raises DnsUpdateError if it does not."""
        return self._exchange(question(name, kind))

    def zone_of(self, name: Name) -> Name:
        """Return the zone of this server that ``name`` lies in, by climbing to a SOA. Raises DnsUpdateError if there is none."""
        for labels in range(len(name), 1, -1):
            here = name.split(labels)[1]
            reply = self.ask(here, dns.rdatatype.SOA)
            if not _speaks_of(reply, here):
                break  # a referral to servers of a sub-domain, or a name that is not hosted here at all
            owners = [
                each.name for each in (*reply.answer, *reply.authority) if each.rdtype == dns.rdatatype.SOA
            ]
            if owners and name.is_subdomain(owners[0]):
                return owners[0]
        raise DnsUpdateError(self._not_hosted(name))

    def add(self, zone: Name, name: Name, value: str) -> None:
        """Add one TXT value beside those that stand there. Raises DnsUpdateError if it is refused."""
        message = self._message(zone)
        message.add(name, TTL, dns.rdatatype.TXT, f'"{value}"')
        self._sent(message, zone)

    def remove(self, zone: Name, name: Name, value: str) -> None:
        """Remove this one TXT value, if it is there. Raises DnsUpdateError if it is refused."""
        message = self._message(zone)
        message.delete(name, dns.rdatatype.TXT, f'"{value}"')
        self._sent(message, zone)

    def _message(self, zone: Name) -> dns.update.UpdateMessage:
        try:
            key = dns.name.from_text(self._update.key_name)
            ring = dns.tsigkeyring.from_text({key.to_text(): self._update.key_secret})
            return dns.update.UpdateMessage(
                zone, keyring=ring, keyname=key, keyalgorithm=self._update.algorithm.lower()
            )
        except (binascii.Error, KeyError, dns.exception.SyntaxError) as error:  # KeyError: the algorithm
            raise DnsUpdateError(self._failure(error)) from error

    def _sent(self, message: dns.update.UpdateMessage, zone: Name) -> None:
        rcode = self._exchange(message).rcode()
        if rcode == dns.rcode.NOERROR:
            return
        raise DnsUpdateError(
            _RCODES.get(rcode, _OTHER_RCODE).said(
                server=self.shown,
                rcode=dns.rcode.to_text(rcode),
                zone=plain(zone),
                key=self._update.key_name,
            )
        )

    def _exchange(self, message: dns.message.Message) -> dns.message.Message:
        try:
            return exchange(message, self.address, self.port, self._timeout)
        except (dns.exception.DNSException, OSError, EOFError, NotImplementedError) as error:
            raise DnsUpdateError(self._failure(error)) from error

    def _failure(self, error: BaseException) -> Text:
        sentence = next(text for kinds, text in _FAILURES if isinstance(error, kinds))
        return sentence.said(
            server=self.shown,
            key=self._update.key_name,
            timeout=f"{self._timeout:g}",
            reason=(error.strerror if isinstance(error, OSError) else None)
            or str(error)
            or type(error).__name__,
        )

    def _not_hosted(self, name: Name) -> Text:
        return say(
            "{record} lies in no zone that {server} is the primary of. On-call: check dns.update.server; "
            "if the record is a CNAME's target, remove the CNAME or let it lead into a hosted zone.",
            record=plain(name),
            server=self.shown,
        )


def _speaks_of(reply: dns.message.Message, name: Name) -> bool:
    """Tell whether a server answers with authority for the name: also with a CNAME there that leads nowhere."""
    answered = reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    return bool(reply.flags & dns.flags.AA) and (
        answered or rrset(reply, name, dns.rdatatype.CNAME) is not None
    )


def plain(name: Name) -> str:
    """Return the name as people write it, without the final dot."""
    return name.to_text(omit_final_dot=True)
