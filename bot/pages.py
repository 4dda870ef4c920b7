"""Pages for people in a browser: one plain layout, in the reader's language, with nothing from elsewhere in it."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import flask
from babel import negotiate_locale
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept

from bot.text.language import ENGLISH, Language, languages
from services.model.text import Text

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1c1d; --soft: #55565a; --paper: #ffffff; --ground: #f4f4f2; --deed: #1d3557; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --soft: #b4b5b9; --paper: #222529; --ground: #1a1d21; --deed: #a8c5ea; }
}
body { margin: 0; background: var(--ground); color: var(--ink); word-break: keep-all; overflow-wrap: anywhere;
  font: 1rem/1.6 system-ui, "Noto Sans CJK KR", "Noto Sans CJK JP", sans-serif; }
main { box-sizing: border-box; max-width: 40rem; margin: 10vh auto 2rem; padding: 2rem; background: var(--paper);
  border-radius: .75rem; }
:lang(ja) { word-break: normal; line-break: strict; }
.name { margin: 0; color: var(--soft); font-weight: 600; }
h1 { margin: .25rem 0 1rem; font-size: 1.5rem; line-height: 1.3; }
nav { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
a { padding: .5rem 1.25rem; border: 1px solid var(--deed); border-radius: .5rem; color: var(--deed); font-weight: 600;
  text-decoration: none; }
a:first-child { background: var(--deed); color: var(--paper); }
a:hover, a:focus-visible { text-decoration: underline; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    # the style by its digest, and nothing else: no script, no picture, nothing to send, no frame to stand in
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Vary": "Accept-Language",
}
_PAGE = Markup(
    '<!doctype html>\n<html lang="{code}">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title} - certdesk</title>\n'
    "<style>{style}</style>\n</head>\n<body>\n<main>\n"
    '<p class="name">certdesk</p>\n<h1>{title}</h1>\n{said}{ways}</main>\n</body>\n</html>\n'
)
_SAID, _WAY, _WAYS = (
    Markup("<p>{}</p>\n"),
    Markup('<a href="{}" rel="noreferrer">{}</a>\n'),
    Markup("<nav>\n{}</nav>\n"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """Where a reader can go on."""

    label: Text
    address: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says, and where it leads."""

    title: Text
    said: Sequence[Text]
    ways: Sequence[Way] = ()


def reader(accept: LanguageAccept) -> Language:
    """Return the language that a browser asks for (Accept-Language, RFC 9110 §12.5.4); English if certdesk speaks none of them.

    The most welcome one that is spoken, and ko for ko-KR before what is less welcome (RFC 4647 §3.4), which Werkzeug's own
    `best_match` does not do.
    """
    known = _languages()
    asked = [tag for tag, quality in accept if quality > 0]
    return known.get((negotiate_locale(asked, known, sep="-") or "").lower(), ENGLISH)


@cache
def _languages() -> dict[str, Language]:
    """Return the languages by their tags (RFC 5646) in small letters, such as pt-br."""
    return {one.code.replace("_", "-").lower(): one for one in languages()}


def shown(page: Page, language: Language, status: int = 200) -> flask.Response:
    """Return a page as the answer to a request."""
    said = Markup("").join(_SAID.format(language.plain(text)) for text in page.said)
    ways = Markup("").join(_WAY.format(way.address, language.plain(way.label)) for way in page.ways)
    body = _PAGE.format(
        code=language.code.replace("_", "-"),
        title=language.plain(page.title),
        style=Markup(_STYLE),  # noqa: S704 - ours, and a style's text has no entities
        said=said,
        ways=_WAYS.format(ways) if ways else "",
    )
    answer = flask.Response(body, status=status, content_type="text/html; charset=utf-8")
    answer.headers.update({**_HEADERS, "Content-Language": language.code.replace("_", "-")})
    return answer
