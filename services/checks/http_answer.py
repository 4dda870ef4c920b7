"""Reads the first bytes of an HTTP/1 answer (RFC 9112): as much as a probe needs, and never more than it may keep."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.checks.world import Fetched

MOST_HEADER = 16 * 1024
"""Bytes of status line and header fields, those of interim answers included."""
MOST_BODY = 4 * 1024
"""Bytes of the body that are kept; what comes after them is not read."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses whose Location a CA follows."""
_SHORT = 80
_MOST_CHUNKED = 8 * MOST_BODY
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})(?: .*)?", re.DOTALL)
_END = re.compile(rb"\r?\n\r?\n")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
_UNSEEN = re.compile(r"[^\x20-\x7e\xa0-\ufffc]+")


@dataclass(frozen=True, slots=True)
class Head:
    """Status and header fields, names in lower case; of a field that is there twice the first one counts."""

    status: int
    fields: Mapping[str, str]

    @property
    def redirects(self) -> bool:
        """Whether it leads elsewhere."""
        return self.status in REDIRECTS and bool(self.fields.get("location"))


def read(raw: bytes, *, ended: bool) -> Fetched | None:
    """Return what ``raw``, all that has come so far, says; None if more is needed to tell.

    ``ended`` says that the peer has closed the connection: then there is always an answer. Header fields after 16 KiB
    and bodies after 4 KiB are not waited for.
    """
    start = 0
    while True:
        if not b"HTTP/".startswith(raw[start : start + 5]):
            return Fetched(error="not_http", detail=_seen(raw[start:]))
        end = _END.search(raw, start, MOST_HEADER)
        if end is None:
            return _unended(raw, ended=ended)
        head = _head(raw[start : end.start()])
        if head is None:
            return Fetched(error="malformed", detail=_seen(raw[start:]))
        if head.status >= 200:  # interim answers come before the one that counts (RFC 9110 §15.2)
            return _whole(head, raw[end.end() :], ended=ended)
        start = end.end()


def _unended(raw: bytes, *, ended: bool) -> Fetched | None:
    if len(raw) >= MOST_HEADER:
        return Fetched(error="malformed", detail="more than 16 KiB of header")
    if not ended:
        return None
    return Fetched(error="reset", detail="closed within the header" if raw else "closed without an answer")


def _head(raw: bytes) -> Head | None:
    first, *lines = raw.split(b"\n")
    status = _STATUS.fullmatch(first.rstrip(b"\r"))
    if status is None:
        return None
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        fields.setdefault(name.decode("ascii", "replace").lower(), value.decode("utf-8", "replace").strip())
    return Head(int(status[1]), fields)


def _whole(head: Head, data: bytes, *, ended: bool) -> Fetched | None:
    """Return the answer as soon as as much of its body is there as is wanted; of a redirect nothing is."""
    body, complete = (b"", True) if head.redirects else _body(head, data)
    if complete is None:
        return Fetched(head.status, error="malformed", detail="a body whose length cannot be told")
    if not (complete or ended or len(body) >= MOST_BODY):
        return None
    if head.status == 200 and _cut_short(head, body, complete=complete):
        return Fetched(head.status, error="reset", detail="closed within the body")
    location = head.fields.get("location", "") if head.redirects else ""
    return Fetched(head.status, location, body[:MOST_BODY], shown(head.fields.get("server", "")))


def _cut_short(head: Head, body: bytes, *, complete: bool) -> bool:
    """Tell whether the connection ended before a body whose end is marked: CAs do not take that (RFC 9112 §8)."""
    marked = "content-length" in head.fields or "transfer-encoding" in head.fields
    return marked and not complete and len(body) < MOST_BODY


def _body(head: Head, data: bytes) -> tuple[bytes, bool | None]:
    """Return what there is of the body, and whether that is all of it (RFC 9112 §6.3); None: it cannot be told."""
    if head.status in (204, 304):
        return b"", True
    if head.fields.get("transfer-encoding", "").lower().endswith("chunked"):
        return _unchunked(data)
    length = head.fields.get("content-length")
    if length is None:
        return data, False
    if not (length.isascii() and length.isdecimal() and len(length) < 16):
        return b"", None
    return data[: int(length)], len(data) >= int(length)


def _unchunked(data: bytes) -> tuple[bytes, bool | None]:
    """Return the content of the chunks that are there (RFC 9112 §7.1), and whether the last one is among them."""
    body, place = b"", 0
    while (line := data.find(b"\r\n", place)) >= 0:
        size = _SIZE.fullmatch(data[place:line].partition(b";")[0].strip())
        if size is None:
            return b"", None
        count = int(size[0], 16)
        if count == 0:
            return body, True
        body += data[line + 2 : line + 2 + count]
        place = line + 2 + count + 2
        if len(body) >= MOST_BODY or place > len(data):
            return body, False
    return body, None if len(data) > _MOST_CHUNKED else False


def _seen(raw: bytes) -> str:
    return shown(raw[:_SHORT].decode("ascii", "replace"))


def shown(text: str) -> str:
    """Return what a stranger sent as evidence keeps it: one short line of what can be read."""
    return _UNSEEN.sub(" ", text).strip()[:_SHORT]
