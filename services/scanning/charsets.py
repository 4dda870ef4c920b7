"""From the bytes of a page or a style sheet to its text, whatever encoding it claims (Encoding Standard, by webencodings)."""

import re

from webencodings import decode, lookup

_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})", re.IGNORECASE)
_RULE = re.compile(rb'@charset "([a-zA-Z0-9_:.-]{2,40})";')
_FIELD = re.compile(r"charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]{2,40})", re.IGNORECASE)
_PRESCAN = 4096


def text_of(body: bytes, content_type: str) -> str:
    """Return the text: by byte order mark, Content-Type, what it says itself, else UTF-8; what does not fit is replaced."""
    claimed = _FIELD.search(content_type)
    label = claimed[1] if claimed else ""
    if lookup(label) is None:
        within = _RULE.match(body) or _META.search(body[:_PRESCAN])
        label = within[1].decode("ascii") if within else ""
        if label.lower().startswith("utf-16"):  # whoever says so in ASCII is wrong (HTML §13.2.3.2)
            label = ""
    text, _ = decode(body, lookup(label) or lookup("utf-8"), "replace")
    return str(text)
