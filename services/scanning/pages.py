"""From one page to everything insecure in it, at its line; pure. The table of elements says what counts."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from justhtml import JustHTML
from justhtml.dom import Element, Node, Text

from services.model.scans import Found, Kind
from services.scanning import elements, policies, scripts, styles, urls
from services.scanning.policies import Mitigations
from services.scanning.room import MOST_LINKS, MOST_NAME, Room

MOST_NESTING = 3
"""Documents within documents: frames by srcdoc, mark-up in strings of scripts."""
_DIRECTIVES = ("content-security-policy",)


@dataclass(frozen=True, slots=True)
class Context:
    """Where a piece of mark-up stands."""

    url: str
    """URL of the page."""
    own: Callable[[str], bool]
    """Whether a host is one of the store's own names."""
    lines: int = 0
    """How many lines of the page come before the piece."""
    likely: bool = False
    """Whether it is put into the page only if a script does so."""
    mitigations: Mitigations = field(default_factory=Mitigations)
    base: str = ""
    """What relative URLs are read below."""
    depth: int = 0
    at: tuple[str, str] | None = None
    """Element and attribute that are named in place of those within the piece."""
    line: int | None = None
    """The line that is named for all of it."""
    room: Room = field(default_factory=Room)
    scripts: bool = True
    """Whether scripts run where it is shown: within <noscript> none ever do."""


@dataclass(slots=True)
class Page:
    """What one page, or a piece of mark-up, holds."""

    found: list[Found] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    """Where its links lead, absolute, in its order."""
    sheets: list[str] = field(default_factory=list)
    """Its style sheets, absolute."""
    base: str = ""
    mitigations: Mitigations = field(default_factory=Mitigations)
    cut: bool = False
    """Whether it holds more than is kept of one page."""


@dataclass(frozen=True, slots=True)
class _Markup:
    source: str
    """Its text, line ends as ``\\n``."""
    context: Context


def read(html: str, url: str, own: Callable[[str], bool], policies_: tuple[str, ...] = ()) -> Page:
    """Return what the page ``html`` at ``url`` holds; ``policies_`` are its Content-Security-Policy header fields."""
    context = Context(url, own, mitigations=policies.mitigations(policies_), base=url)
    page = _read(html, context)
    page.cut = context.room.cut
    return page


def _read(html: str, context: Context, *, fragment: bool = False) -> Page:
    source = html.replace("\r\n", "\n").replace("\r", "\n")
    markup = _Markup(source, context)
    page = Page(base=context.base, mitigations=context.mitigations)
    document = JustHTML(source, sanitize=False, track_node_locations=True, fragment=fragment)
    based = fragment
    for node, likely in _elements(document.root):
        here = markup if not likely else replace(markup, context=replace(context, likely=True))
        if _is_base(node) and not based and not likely:
            based = True
            _note(page, here, node, "href", (_raw(node, "href"),), Kind.NAVIGATIONAL)
            page.base = urls.joined(_raw(node, "href"), context.base) or page.base
            continue
        if node.name == "meta":
            _heed(page, node)
        _element(page, here, node)
    return page


def _is_base(node: Element) -> bool:
    return node.name == "base" and node.namespace == "html" and elements.has(node, "href")


def _elements(root: Node) -> Iterator[tuple[Element, bool]]:
    """Yield every element in the order of the document, and whether it stands in a template that waits for a script."""
    waiting: list[tuple[Node, bool]] = [(root, False)]
    while waiting:
        node, likely = waiting.pop()
        if isinstance(node, Element):
            yield node, likely
        content = node.template_content if isinstance(node, Element) else None
        if content is not None:
            rendered = elements.value(node, "shadowrootmode") in ("open", "closed")
            waiting.append((content, likely or not rendered))
        waiting += [(child, likely) for child in reversed(node.children or ()) if isinstance(child, Node)]


def _raw(node: Node, name: str) -> str:
    return (node.attrs or {}).get(name) or ""


def _heed(page: Page, node: Node) -> None:
    """Take note of a policy that holds from here on."""
    if elements.value(node, "http-equiv") in _DIRECTIVES and _within_head(node):
        page.mitigations = page.mitigations | policies.mitigations((_raw(node, "content"),))


def _within_head(node: Node) -> bool:
    return node.parent is not None and node.parent.name == "head"


def _element(page: Page, markup: _Markup, node: Element) -> None:
    """Note what one element loads, by the table, by its style and by what stands within it."""
    if node.name == "script" and not markup.context.scripts:
        return
    taken: set[str] = set()
    for rule in elements.RULES.get(node.namespace or "html", {}).get(node.name, ()):
        value = (node.attrs or {}).get(rule.attribute)
        kind = rule.judged(node) if value and rule.attribute not in taken else None
        if value and kind is not None:
            texts = tuple(rule.read(value))
            if not rule.own or any(
                markup.context.own(urls.host_of(urls.joined(text, page.base))) for text in texts
            ):
                taken.add(rule.attribute)
                _note(page, markup, node, rule.attribute, texts, kind)
    _led(page, node)
    for name, style in _declared(node):
        for reference in styles.in_declarations(style, page.base):
            _note(page, markup, node, name, (reference.url,), reference.kind)
    for name, value in (node.attrs or {}).items():
        if value and name.startswith("on") and markup.context.scripts:
            _script(page, markup, value, _line(markup, node, name, ""), (node.name, name))
    if reader := _CONTENTS.get(node.name):
        reader(page, markup, node)


def _declared(node: Element) -> Iterator[tuple[str, str]]:
    """Yield the attributes that hold declarations of CSS, and these."""
    if style := _raw(node, "style"):
        yield "style", style
    if node.namespace == "svg":
        for name in elements.PRESENTATION:
            if value := _raw(node, name):
                yield name, f"{name}:{value}"


def _led(page: Page, node: Element) -> None:
    """Take note of where the page leads, and of its style sheets."""
    href = _raw(node, "href")
    if not href or node.namespace != "html":
        return
    if node.name in ("a", "area") and len(page.links) < MOST_LINKS:
        page.links.append(urls.joined(href, page.base))
    elif node.name == "link" and "stylesheet" in elements.value(node, "rel").split():
        page.sheets.append(urls.joined(href, page.base))


def _note(
    page: Page, markup: _Markup, node: Node, attribute: str, texts: tuple[str, ...], kind: Kind
) -> None:
    """Add what is insecure among ``texts``, the URLs in one attribute of an element."""
    context = markup.context
    for text in texts:
        url = urls.insecure(text, page.base)
        if url is None or not context.room.for_one():
            continue
        line = _line(markup, node, attribute, text)
        _add(page, context, url, context.at or (node.name, attribute), line, kind)


def _add(page: Page, context: Context, url: str, at: tuple[str, str], line: int, kind: Kind) -> None:
    kind = Kind.LIKELY if context.likely else urls.settled(kind, url)
    own = urls.host_of(url) == urls.host_of(context.url)
    mitigated = page.mitigations.cover(kind, own=own)
    element, attribute = (name[:MOST_NAME] for name in at)
    page.found.append(Found(url, element, attribute, context.url, line, kind, mitigated))


def _line(markup: _Markup, node: Node, attribute: str, text: str) -> int:
    """Return the line on which ``text`` stands in an attribute, that of the attribute if it is written another way."""
    if markup.context.line is not None:
        return markup.context.line
    start = node.origin_offset or 0
    line = markup.context.lines + (node.origin_line or 1)
    named = re.compile(rf"[\s/\"']{re.escape(attribute)}\s*=", re.IGNORECASE).search(markup.source, start)
    if named is None:
        return line
    within = named.end() + len(_raw(node, attribute)) + 8
    behind = markup.source.find(text.strip(), named.end(), within) if text else -1
    place = behind if behind >= 0 else named.end()
    return line + markup.source.count("\n", start, place)


def _text(node: Element) -> tuple[str, int]:
    """Return the text within an element, and the line on which it begins."""
    texts = [child for child in node.children if isinstance(child, Text)]
    first = texts[0].origin_line if texts else node.origin_line
    return "".join(text.data or "" for text in texts), first or 1


def _style(page: Page, markup: _Markup, node: Element) -> None:
    if elements.value(node, "type") not in ("", "text/css"):
        return
    text, first = _text(node)
    for reference in styles.references(text, page.base):
        line = markup.context.line or markup.context.lines + first + reference.line - 1
        if (url := urls.insecure(reference.url, page.base)) and markup.context.room.for_one():
            _add(
                page,
                markup.context,
                url,
                markup.context.at or (node.name, reference.name),
                line,
                reference.kind,
            )
        elif reference.name == "@import":
            page.sheets.append(urls.joined(reference.url, page.base))


def _inline(page: Page, markup: _Markup, node: Element) -> None:
    """Look at what stands within a ``<script>``: a script, an import map, or a template in disguise."""
    kind = elements.script_type(node)
    if elements.has(node, "src") or elements.has(node, "href"):
        return
    text, first = _text(node)
    first += markup.context.lines
    if kind in elements.JAVASCRIPT:
        _script(page, markup, text, first, (node.name, "text"))
    elif kind == "importmap":
        for url in scripts.mapped(text):
            if (insecure := urls.insecure(url, page.base)) and markup.context.room.for_one():
                line = first + text.count("\n", 0, max(text.find(url), 0))
                _add(page, markup.context, insecure, (node.name, "text"), line, Kind.LIKELY)
    elif kind == "text/html" or any(word in kind for word in elements.TEMPLATES):
        _within(page, markup, text, first - 1, likely=True)


def _script(page: Page, markup: _Markup, text: str, first: int, at: tuple[str, str]) -> None:
    """Note the strings of a script that will probably be loaded."""
    for literal in scripts.literals(text):
        line = markup.context.line or first + literal.line - 1
        context = replace(markup.context, likely=True, at=at, line=line)
        if literal.form == "html":
            _within(page, _Markup(markup.source, context), literal.text, 0, likely=True)
            continue
        texts = [literal.text]
        if literal.form == "css":
            if not context.room.for_a_piece():
                continue
            value = literal.text if ":" in literal.text.partition("(")[0] else f"background:{literal.text}"
            texts = [reference.url for reference in styles.in_declarations(value)]
        for one in texts:
            if (url := urls.insecure(one, page.base)) and context.room.for_one():
                _add(page, context, url, at, line, Kind.LIKELY)


def _noscript(page: Page, markup: _Markup, node: Element) -> None:
    """Look at what shoppers get whose browser runs no scripts."""
    text, first = _text(node)
    unscripted = replace(markup, context=replace(markup.context, scripts=False))
    _within(page, unscripted, text, markup.context.lines + first - 1)


def _frame(page: Page, markup: _Markup, node: Element) -> None:
    if inner := _raw(node, "srcdoc"):
        line = _line(markup, node, "srcdoc", "")
        _within(page, _Markup(markup.source, replace(markup.context, line=line)), inner, 0, fragment=False)


def _within(
    page: Page, markup: _Markup, html: str, lines: int, *, likely: bool = False, fragment: bool = True
) -> None:
    """Look at mark-up within mark-up, whose first line is behind ``lines`` of the page."""
    outer = markup.context
    if outer.depth >= MOST_NESTING or not outer.room.for_a_piece():
        return
    context = replace(
        outer,
        lines=lines,
        likely=outer.likely or likely,
        base=page.base,
        mitigations=page.mitigations,
        depth=outer.depth + 1,
    )
    inner = _read(html, context, fragment=fragment)
    page.found += inner.found
    page.sheets += inner.sheets


_CONTENTS: Mapping[str, Callable[[Page, _Markup, Element], None]] = {
    "style": _style,
    "script": _inline,
    "noscript": _noscript,
    "iframe": _frame,
}
"""Elements whose content is read by itself."""
