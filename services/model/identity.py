"""Row ids: a kind, then a time-ordered random part, so that an id read in a log says what it names and sorts by age."""

import secrets
import time

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letters that read like digits


def new_id(kind: str) -> str:
    """Return a fresh id such as ``cert_01jd…``: 48 bits of milliseconds, then 80 random bits (the layout of a ULID)."""
    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return f"{kind}_" + "".join(_DIGITS[(number >> shift) & 31] for shift in range(125, -5, -5))
