"""What the header fields of a page load, or lead to, before any of it is read: Link (RFC 8288) and Refresh; pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import escape

from services.model.scans import Found
from services.scanning import pages

FIELDS = ("link", "refresh")
"""The fields that are read, in lower case."""
ELEMENT = "header"
"""`Found.element` of what stands in one; the field is its `attribute`, and its line the first."""
MOST = 64 * 1024
"""Characters of a field that are read."""
_LINK = re.compile(r'<([^<>]*)>((?:[^,"]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*([a-zA-Z]+)\s*=\s*(?:"([^"]*)"|([^;,"\s]*))')
_HEEDED = frozenset({"preload", "modulepreload", "prefetch"})
"""Relations that Chromium heeds in a field (HTML §4.6.7.3, processing of link headers); a style sheet it takes from elements alone."""


def read(
    fields: Mapping[str, str], url: str, own: Callable[[str], bool], policies: tuple[str, ...] = ()
) -> list[Found]:
    """Return what is insecure in the ``fields``, by name in lower case, of the page at ``url``; the others are as for `pages.read`."""
    found = []
    for field, as_markup in (("link", _links), ("refresh", _refresh)):
        markup = "".join(as_markup(fields.get(field, "")[:MOST]))
        if markup:  # what an element of the same meaning does, the field does
            page = pages.read(markup, url, own, policies)
            found += [replace(one, element=ELEMENT, attribute=field, line=1) for one in page.found]
    return found


def _links(value: str) -> Iterator[str]:
    """Yield an element for each link that is heeded."""
    for target, rest in _LINK.findall(value):
        parameters: dict[str, str] = {}
        for name, quoted, bare in _PARAMETER.findall(rest):
            parameters.setdefault(name.lower(), quoted or bare)
        rels = " ".join(_HEEDED.intersection(parameters.get("rel", "").lower().split()))
        if rels:
            aim = escape(parameters.get("as", ""))
            yield f'<link rel="{rels}" as="{aim}" href="{escape(target)}">'


def _refresh(value: str) -> Iterator[str]:
    if value:
        yield f'<meta http-equiv=refresh content="{escape(value)}">'
