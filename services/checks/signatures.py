"""Why DNSSEC does not validate, in words: what the zone's DS records, keys and signatures have to do with each other. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.checks.rules import listed
from services.checks.world import Answer, Record
from services.model.text import Text, say

_PROOFS = frozenset({"NSEC", "NSEC3"})
_WRITTEN = "%Y%m%d%H%M%S"  # a moment in an RRSIG record (RFC 4034 §3.2)


def reason(ds: Sequence[Record], keys: Sequence[Record] | None, signed: Answer | None, now: datetime) -> Text:
    """Return the clause behind "because", from the outside in: DS records, keys, then the answer's signatures.

    ``keys``: the zone's DNSKEY records, None if they cannot be had; ``signed``: the answer that does not validate, asked
    for with its signatures.
    """
    tags = listed(sorted(record.text.partition(" ")[0] for record in ds))
    if keys is not None and not keys:
        return say("the zone is not signed, while its DS records (key tags {tags}) say that it is", tags=tags)
    if keys and not matching(ds, keys):
        theirs = listed(sorted(str(key_tag(record.wire)) for record in keys))
        return say("its DS records (key tags {tags}) fit none of its keys ({keys})", tags=tags, keys=theirs)
    return (_of_signatures(signed, now) if signed and signed.good else None) or say(
        "its keys or signatures do not fit its DS records (key tags {tags})", tags=tags
    )


def _of_signatures(signed: Answer, now: datetime) -> Text | None:
    written = [r.text.split() for r in (*signed.answer, *signed.authority) if r.type == "RRSIG"]
    if not written:
        return say("the answer has no signatures (RRSIG)")
    ends, begins = (
        [datetime.strptime(fields[place], _WRITTEN).replace(tzinfo=UTC) for fields in written]
        for place in (4, 5)
    )
    if max(ends) <= now:
        return say("its signatures ended on {end}", end=max(ends))
    if min(begins) > now:
        return say("its signatures are not valid before {start}", start=min(begins))
    if not signed.answer and not _PROOFS & {fields[0] for fields in written}:
        return say("the proof (NSEC) that there is no {type} record is missing", type=signed.type)
    return None


def matching(ds: Sequence[Record], keys: Sequence[Record]) -> set[int]:
    """Return the key tags that both a DS and a DNSKEY have."""
    delegated = {int.from_bytes(record.wire[:2], "big") for record in ds}
    return delegated & {key_tag(record.wire) for record in keys}


def key_tag(wire: bytes) -> int:
    """Return the key tag of a DNSKEY (RFC 4034 appendix B)."""
    total = sum(octet if place & 1 else octet << 8 for place, octet in enumerate(wire))
    return (total + (total >> 16)) & 0xFFFF
