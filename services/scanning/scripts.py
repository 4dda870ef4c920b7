"""URLs in the strings of a script that will probably be loaded when it runs; comments, comparisons and mere links do not count."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

_TOKEN = re.compile(
    r"""
      (?P<comment>//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?|<!--[^\n]*)
    | (?P<string>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\])*`?)
    | (?P<word>[A-Za-z_$][\w$]*)
    | (?P<number>\d[\w.]*)
    | (?P<mark>===|!==|==|!=|=>|[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|\n|(.))", re.DOTALL)
_URL = re.compile(r"(?:http|ws):\\?/\\?/", re.IGNORECASE)
_PACKED = re.compile(r"%3c(?:script|i|link|embed|object|style)", re.IGNORECASE)
"""Mark-up as it is written for ``document.write(unescape(…))``."""
_HOSTED = re.compile(
    r"\s*+(http|ws)://(?=[^\s/?#'\"<>]*[a-z0-9_}-]\.[a-z0-9{$-])[^\s'\"<>]*+\s*+", re.IGNORECASE
)  # possessive: whatever the string, it is gone through twice and not a square of times
_FILE = re.compile(
    r"\.(?:js|mjs|css|png|jpe?g|gif|svg|webp|avif|ico|bmp|woff2?|ttf|otf|eot|mp4|webm|ogv|m4v|mov|mp3|ogg|oga|m4a|wav"
    r"|m3u8|mpd|vtt|wasm|webmanifest)(?:[?#][^\s]*)?$",
    re.IGNORECASE,
)
_BEFORE_REGEX = frozenset(["(", ",", "=", ":", "[", "!", "&", "|", "?", "{", "}", ";", "+", "-", "*", "%", "~", "^", "<", ">", "==", "===", "!=", "!==", "=>"]) | {
    "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "do", "else",
}  # fmt: skip
_ASSIGNED = frozenset(
    [
        "src",
        "srcset",
        "poster",
        "action",
        "formAction",
        "innerHTML",
        "outerHTML",
        "background",
        "backgroundImage",
        "cssText",
        "data",
    ]
)
_LOADERS = frozenset(
    [
        "fetch",
        "importScripts",
        "import",
        "getScript",
        "getJSON",
        "post",
        "ajax",
        "WebSocket",
        "EventSource",
        "Worker",
        "SharedWorker",
        "Audio",
        "loadScript",
        "sendBeacon",
        "Request",
        "FontFace",
        "addModule",
        "addJS",
        "injectScript",
        "loadCSS",
        "axios",
        "from",
    ]
)
_METHODS = frozenset({"GET", "POST", "PUT", "HEAD", "PATCH", "DELETE"})
_SET = frozenset({"src", "srcset", "poster", "action", "data", "formaction"})
_COMPARISONS = frozenset({"==", "===", "!=", "!=="})
_ASKERS = frozenset(
    [
        "indexOf",
        "includes",
        "startsWith",
        "endsWith",
        "replace",
        "replaceAll",
        "split",
        "match",
        "test",
        "search",
        "lastIndexOf",
    ]
)
_REQUESTS = frozenset({"ajax", "axios", "request", "fetch"})
_BEHIND = 12
"""How many tokens before a string are looked at."""


@dataclass(frozen=True, slots=True)
class Literal:
    """One string of a script that leads to something insecure."""

    text: str
    """The URL; or for mark-up or declarations, all of the string."""
    line: int
    """Within the script, from 1 on."""
    form: str
    """``url``, ``html`` or ``css``."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    """A string without its quotes and escapes."""
    place: int


def literals(script: str) -> Iterator[Literal]:
    """Yield the strings of ``script`` that are insecure and will probably be loaded, or put into the page."""
    if not _URL.search(script) and "\\" not in script:
        return
    behind: list[_Token] = []
    line, counted = 1, 0
    for token in _tokens(script):
        if token.kind == "string" and _URL.search(token.text):
            written = unquote(token.text) if _PACKED.search(token.text) else token.text
            form = _form(written, [one.text for one in behind])
            if form:
                text = written.strip() if form == "url" else written
                line += script.count("\n", counted, token.place)
                counted = token.place
                yield Literal(text, line, form)
        behind.append(token)
        del behind[:-_BEHIND]


def mapped(text: str) -> Iterator[str]:
    """Yield the addresses of an import map (HTML §8.1.6.3); none if it is not one."""
    try:
        read = json.loads(text)
        scopes = read.get("scopes", {})
        tables = [read.get("imports", {}), *scopes.values()]
        addresses = [address for table in tables for address in table.values()]
    except (ValueError, AttributeError, RecursionError):
        return
    yield from (address for address in addresses if isinstance(address, str))


def _tokens(script: str) -> Iterator[_Token]:
    place, before = 0, "("
    while match := _TOKEN.search(script, place):
        place, kind, text = match.end(), str(match.lastgroup), match.group()
        if kind == "comment":
            continue
        if text == "/" and before in _BEFORE_REGEX and (regex := _REGEX.match(script, match.start())):
            place, kind, text = regex.end(), "regex", regex.group()
        before = text if kind in ("mark", "word") else kind
        yield _Token(kind, _unquoted(text) if kind == "string" else text, match.start())


def _unquoted(literal: str) -> str:
    inner = literal[1:-1] if len(literal) > 1 and literal[-1] == literal[0] else literal[1:]
    return _ESCAPE.sub(_unescaped, inner) if "\\" in inner else inner


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else ""
    return {"n": "\n", "t": "\t", "r": "\r"}.get(match[4] or "", match[4] or "")


def _form(text: str, words: list[str]) -> str:
    """Return how the string leads to something insecure; empty if it probably does not."""
    if _asked_about(words) or _by_protocol(words):
        return ""
    if "<" in text:
        return "html"
    if re.search(r"url\(", text, re.IGNORECASE):
        return "css"
    if not _HOSTED.fullmatch(text):
        return ""
    loaded = text.lower().lstrip().startswith("ws:") or _FILE.search(text.strip()) or _taken(words)
    return "url" if loaded else ""


def _asked_about(words: list[str]) -> bool:
    """Tell whether the string is only compared, or looked for in another one."""
    if words[-1:] and words[-1] in _COMPARISONS:
        return True
    return words[-1:] == ["("] and words[-2:-1] != [] and words[-2] in _ASKERS


def _by_protocol(words: list[str]) -> bool:
    """Tell whether the string is chosen only where the page itself is not https, as in ``protocol == "https:" ? … : …``."""
    statement = words[max((n for n, word in enumerate(words) if word == ";"), default=-1) + 1 :]
    return statement[-1:] == [":"] and "protocol" in statement and "?" in statement


def _taken(words: list[str]) -> bool:
    """Tell whether what comes right before the string loads it: an assignment, a call, a key."""
    last = words[-1] if words else ""
    name = words[-2] if len(words) > 1 else ""
    if last == "=":
        return name in _ASSIGNED
    if last == "(":
        return name in _LOADERS or (name in ("get", "load") and words[-4:-2] in (["$", "."], ["axios", "."]))
    if last in ("from", "import"):
        return True
    if last == ",":
        return name in _SET or (name in _METHODS and "open" in words[-5:])
    if last == ":":
        return name in _SET or (name == "url" and not _REQUESTS.isdisjoint(words))
    return last == "[" and "importScripts" in words
