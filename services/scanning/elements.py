"""What loads, posts or leads where: one table of element, attribute, how it is read and what browsers do about http://.

Sources: HTML Living Standard (each element's fetch), Fetch §2.2.5 (destination and initiator of a request), W3C Mixed
Content Level 2 §3.1: with destination image, audio or video a request is upgradeable, unless its initiator is an image set.
Where Chromium does something else (tests/browser/test_scanning_judge.py), what it does counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from justhtml.dom import Node

from services.model.scans import Kind
from services.scanning import attributes
from services.scanning.attributes import Reader


@dataclass(frozen=True, slots=True)
class Rule:
    """One attribute that names URLs."""

    attribute: str
    kind: Kind | Callable[[Node], Kind | None]
    """None: this element does not load it."""
    read: Reader = attributes.one
    own: bool = False
    """Whether it matters for the store's own names alone: a link to another site may be http://."""

    def judged(self, node: Node) -> Kind | None:
        """Return what browsers do about it on this element; None if nothing is loaded."""
        return self.kind if isinstance(self.kind, Kind) else self.kind(node)


def value(node: Node, name: str) -> str:
    """Return the attribute's value in lower case; empty if it is not there. Space around a key word makes it another one (HTML §2.3.3)."""
    return ((node.attrs or {}).get(name) or "").lower()


def has(node: Node, name: str) -> bool:
    """Tell whether the attribute is there, whatever its value."""
    return name in (node.attrs or {})


_LINKS: Mapping[str, Kind] = {
    "stylesheet": Kind.BLOCKABLE,
    "modulepreload": Kind.BLOCKABLE,
    "manifest": Kind.BLOCKABLE,
    "prefetch": Kind.BLOCKABLE,
    "compression-dictionary": Kind.BLOCKABLE,
    "icon": Kind.BLOCKABLE,
    "apple-touch-icon": Kind.BLOCKABLE,
    "apple-touch-icon-precomposed": Kind.BLOCKABLE,
    "apple-touch-startup-image": Kind.BLOCKABLE,
    "mask-icon": Kind.BLOCKABLE,
}
"""Link types that are fetched (HTML §4.6.7); Chromium blocks icons, though they are images. preconnect and dns-prefetch ask for nothing; alternate, next and others lead only."""
_PRELOADED = frozenset({"image", "script", "style", "font", "fetch", "track"})
"""HTML §4.6.7.16, translate a preload destination; of anything else nothing is asked for."""
_STYLES = frozenset({"", "text/css"})


def _link(node: Node) -> Kind | None:
    """Return what becomes of a ``<link href>``."""
    rels = value(node, "rel").split()
    type_ = value(node, "type").partition(";")[0].strip()
    if "stylesheet" in rels and (type_ not in _STYLES or has(node, "disabled")):
        rels.remove("stylesheet")
    kinds = [_LINKS[rel] for rel in rels if rel in _LINKS]
    if "preload" in rels and value(node, "as") in _PRELOADED:
        kinds.append(Kind.UPGRADEABLE if value(node, "as") == "image" else Kind.BLOCKABLE)
    return min(kinds, default=None)  # "blockable" comes first


def _canonical(node: Node) -> Kind | None:
    return Kind.NAVIGATIONAL if "canonical" in value(node, "rel").split() else None


def _preloaded_set(node: Node) -> Kind | None:
    return (
        Kind.BLOCKABLE if "preload" in value(node, "rel").split() and value(node, "as") == "image" else None
    )


def _in(node: Node, *names: str) -> bool:
    parent = node.parent
    return parent is not None and parent.name in names


def _image(node: Node) -> Kind:
    """Return what becomes of ``<img src>``: an image of an image set is blocked, any other one is upgraded."""
    return Kind.BLOCKABLE if has(node, "srcset") or _in(node, "picture") else Kind.UPGRADEABLE


def _source_src(node: Node) -> Kind | None:
    return Kind.UPGRADEABLE if _in(node, "audio", "video") else None


def _source_set(node: Node) -> Kind | None:
    return Kind.BLOCKABLE if _in(node, "picture") else None


def _frame(node: Node) -> Kind | None:
    return None if has(node, "srcdoc") else Kind.BLOCKABLE


JAVASCRIPT = frozenset(
    {
        "",
        "module",
        "text/javascript",
        "application/javascript",
        "application/ecmascript",
        "application/x-ecmascript",
        "application/x-javascript",
        "text/ecmascript",
        "text/javascript1.0",
        "text/javascript1.1",
        "text/javascript1.2",
        "text/javascript1.3",
        "text/javascript1.4",
        "text/javascript1.5",
        "text/jscript",
        "text/livescript",
        "text/x-ecmascript",
        "text/x-javascript",
    }
)
"""Types of scripts that browsers run (MIME Sniffing §4.6, JavaScript MIME types)."""


TEMPLATES = ("template", "tmpl", "handlebars", "mustache", "underscore")
"""What the types of scripts say that are mark-up for another script: text/x-handlebars, text/x-jquery-tmpl, text/ng-template …"""


def script_type(node: Node) -> str:
    """Return the type of a script, by which browsers tell whether it is one: with parameters, or nothing but space, it is none to them (HTML §4.12.1)."""
    language = value(node, "language")
    if language and not has(node, "type"):
        return f"text/{language}"
    written = value(node, "type")
    return written.strip() or written


def _script(node: Node) -> Kind | None:
    """Return what becomes of ``<script src>``; one for browsers without modules is loaded by those alone."""
    if script_type(node) not in JAVASCRIPT:
        return None
    return Kind.LIKELY if has(node, "nomodule") and script_type(node) != "module" else Kind.BLOCKABLE


def _track(node: Node) -> Kind | None:
    return Kind.BLOCKABLE if _in(node, "audio", "video") else None


def _image_button(node: Node) -> Kind | None:
    return Kind.UPGRADEABLE if value(node, "type") == "image" else None


def _submit(node: Node) -> Kind | None:
    submits = ("submit", "image") if node.name == "input" else ("", "submit")
    return Kind.FORM if value(node, "type") in submits else None


def _refreshes(node: Node) -> Kind | None:
    return Kind.NAVIGATIONAL if value(node, "http-equiv") == "refresh" else None


_SHARED = ("og:url", "og:image", "og:image:url", "og:video", "og:audio", "twitter:url", "twitter:image")


def _shared(node: Node) -> Kind | None:
    """Return what becomes of an address that search engines and messengers take from the page (OpenGraph)."""
    name = (value(node, "property") or value(node, "name")).strip()
    return Kind.NAVIGATIONAL if name in _SHARED else None


def _download(node: Node) -> Kind | None:
    return Kind.NAVIGATIONAL if has(node, "download") else None


_LINK = (
    Rule("href", _link),
    Rule("imagesrcset", _preloaded_set, attributes.srcset),
    Rule("href", _canonical, own=True),
)
_ANCHOR = (
    Rule("href", _download),
    Rule("href", Kind.NAVIGATIONAL, own=True),
    Rule("ping", Kind.BLOCKABLE, attributes.spaced),
)
_BACKGROUND = (Rule("background", Kind.UPGRADEABLE),)
_SUBMIT = (Rule("formaction", _submit),)


def _unless_href(kind: Kind) -> Callable[[Node], Kind | None]:
    """Return what judges ``xlink:href``, which browsers do not look at beside ``href`` (SVG 2 §16.1.6)."""
    return lambda node: None if has(node, "href") else kind


def _animated(node: Node) -> Kind | None:
    """Return what becomes of a value that is put into ``href`` after a while (SMIL); of a link that is where it leads, which is the link's matter."""
    aimed = value(node, "attributeName") in ("href", "xlink:href")
    return Kind.UPGRADEABLE if aimed and not _in(node, "a") else None


_SVG_IMAGE = (Rule("href", Kind.UPGRADEABLE), Rule("xlink:href", _unless_href(Kind.UPGRADEABLE)))
_SET = (Rule("to", _animated),)
_ANIMATE = (*_SET, Rule("from", _animated), Rule("values", _animated, attributes.listed))

HTML: Mapping[str, tuple[Rule, ...]] = {
    # what a page consists of
    "script": (Rule("src", _script),),
    "link": _LINK,
    "img": (Rule("src", _image), Rule("srcset", Kind.BLOCKABLE, attributes.srcset)),
    "source": (Rule("src", _source_src), Rule("srcset", _source_set, attributes.srcset)),
    "video": (Rule("src", Kind.UPGRADEABLE), Rule("poster", Kind.UPGRADEABLE)),
    "audio": (Rule("src", Kind.UPGRADEABLE),),
    "track": (Rule("src", _track),),
    "iframe": (Rule("src", _frame),),
    "frame": (Rule("src", Kind.BLOCKABLE),),
    "object": (Rule("data", Kind.BLOCKABLE),),
    "embed": (Rule("src", Kind.BLOCKABLE),),
    "input": (Rule("src", _image_button), *_SUBMIT),
    # rendering of old pages (HTML §15.3.3 and following)
    **dict.fromkeys(
        ("body", "table", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "td", "th"), _BACKGROUND
    ),
    # what is sent
    "form": (Rule("action", Kind.FORM),),
    "button": _SUBMIT,
    # what leads on
    "meta": (Rule("content", _refreshes, attributes.refresh), Rule("content", _shared, own=True)),
    "a": _ANCHOR,
    "area": _ANCHOR,
}
"""Element of HTML -> its attributes that name URLs; an attribute counts by the first rule that fits."""

SVG: Mapping[str, tuple[Rule, ...]] = {
    "script": (Rule("href", Kind.BLOCKABLE), Rule("xlink:href", _unless_href(Kind.BLOCKABLE))),
    "image": _SVG_IMAGE,
    "feImage": _SVG_IMAGE,
    "use": _SVG_IMAGE,
    "set": _SET,
    "animate": _ANIMATE,
    "a": (
        Rule("href", Kind.NAVIGATIONAL, own=True),
        Rule("xlink:href", _unless_href(Kind.NAVIGATIONAL), own=True),
    ),
}
"""The same for SVG (SVG 2 §16.2)."""

PRESENTATION = (
    "clip-path",
    "cursor",
    "fill",
    "filter",
    "marker-end",
    "marker-mid",
    "marker-start",
    "mask",
    "stroke",
)
"""Attributes of SVG that are declarations of CSS (SVG 2 §6.6), with whatever their ``url()`` loads."""

RULES: Mapping[str, Mapping[str, tuple[Rule, ...]]] = {"html": HTML, "svg": SVG}
"""By namespace; MathML has none that loads."""
