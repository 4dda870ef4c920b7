"""What a zone says of a name, and what an update does to it: the rules, apart from the server that applies them."""

import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.transaction

_SINGLE = (dns.rdatatype.CNAME, dns.rdatatype.SOA)

Txn = dns.transaction.Transaction


def cut(
    txn: Txn, origin: dns.name.Name, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
) -> dns.name.Name | None:
    """Return where the zone delegates `name` away, if it does (a DS stands on the parent's side)."""
    for depth in range(len(origin) + 1, len(name) + 1):
        _, candidate = name.split(depth)
        if candidate == name and rdtype == dns.rdatatype.DS:
            return None
        if txn.get(candidate, dns.rdatatype.NS) is not None:
            return candidate
    return None


def _exists(txn: Txn, name: dns.name.Name) -> bool:
    """Whether the name has records or has names below it (an empty non-terminal, RFC 4592 §2.2.2)."""
    return txn.name_exists(name) or any(owner.is_subdomain(name) for owner in txn.iterate_names())


def source(txn: Txn, origin: dns.name.Name, name: dns.name.Name) -> dns.name.Name | None:
    """Return the owner whose records answer for `name`: itself, a wildcard (RFC 4592 §3.3.1), or None."""
    if _exists(txn, name):
        return name
    encloser = name.parent()
    while encloser != origin and not _exists(txn, encloser):
        encloser = encloser.parent()
    wildcard = dns.name.Name((b"*", *encloser.labels))
    return wildcard if _exists(txn, wildcard) else None


def add(section: list[dns.rrset.RRset], name: dns.name.Name, rdataset: dns.rdataset.Rdataset | None) -> bool:
    """Add `rdataset` under `name` to a section of a message; whether there was one."""
    if not rdataset:
        return False
    section.append(dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset)))
    return True


def unmet(txn: Txn, condition: dns.rrset.RRset) -> dns.rcode.Rcode | None:
    """Return why a prerequisite (RFC 2136 §3.2) does not hold, or None when it does."""
    name, anything = condition.name, condition.rdtype == dns.rdatatype.ANY
    there = txn.name_exists(name) if anything else txn.get(name, condition.rdtype) is not None
    if condition.deleting == dns.rdataclass.NONE:
        refusal = dns.rcode.YXDOMAIN if anything else dns.rcode.YXRRSET
        return refusal if there else None
    if not there:
        return dns.rcode.NXDOMAIN if anything else dns.rcode.NXRRSET
    if condition.deleting is None and set(condition) != set(txn.get(name, condition.rdtype) or ()):
        return dns.rcode.NXRRSET
    return None


def change(txn: Txn, change: dns.rrset.RRset) -> None:
    """Carry out one change (RFC 2136 §3.4.2)."""
    name, rdtype = change.name, change.rdtype
    if change.deleting == dns.rdataclass.NONE:
        txn.delete(name, dns.rdataset.from_rdata_list(change.ttl, list(change)))
    elif change.deleting == dns.rdataclass.ANY:
        if rdtype == dns.rdatatype.ANY:
            txn.delete(name)
        else:
            txn.delete(name, rdtype)
    elif rdtype in _SINGLE:
        if rdtype == dns.rdatatype.SOA or txn.get(name, rdtype) or not txn.name_exists(name):
            txn.replace(name, dns.rdataset.from_rdata_list(change.ttl, list(change)))
    elif not txn.get(
        name, dns.rdatatype.CNAME
    ):  # beside a CNAME nothing may stand: silently nothing, as in BIND
        txn.add(name, dns.rdataset.from_rdata_list(change.ttl, list(change)))
