"""All that a scan found, as a page that stands alone: it loads nothing, runs nothing, and leads nowhere."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from bot.attachments import scan_words
from bot.text.language import Language
from services.model.scans import Advice, Kind
from services.model.text import Text, from_json, say

_STYLE = (
    "body{font:15px/1.5 sans-serif;margin:2em auto;max-width:76em;padding:0 1em;color:#1d1c1d;background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:1em 0}th,td{border:1px solid #ccc;padding:.4em .6em;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f4f4f4}code{font-size:13px}"
    "table{table-layout:fixed}th:nth-child(2){width:15%}th:nth-child(3){width:27%}small{color:#616061}"
    ".blockable,.form{border-left:5px solid #c0392b}.upgradeable{border-left:5px solid #d68910}"
)
_ALIKE = ("url", "element", "attribute", "class", "mitigated", "advice")
"""What makes it the same thing, besides why."""
MOST_PLACES = 12
"""How many places of one thing are named; the table as CSV names all."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(facts: Mapping[str, Any], language: Language) -> bytes:
    """Return the page as HTML in UTF-8; ``facts`` as `commands.scan_view.facts` returns them.

    Whatever comes from a store's pages is text in it, never mark-up and never a link.
    """
    title = _text(say("Scan of the pages of {name}", name=facts["name"]), language)
    drawn = (
        f"<h1>{title}</h1>",
        *_summary(facts, language),
        *_findings(facts, language),
        *_problems(facts, language),
        *_list(scan_words.PAGES, facts["pages"], language),
        *_skipped(facts, language),
    )
    head = (
        f'<!doctype html><html lang="{escape(language.code)}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>"
    )
    return "\n".join((head, *drawn, "</body></html>\n")).encode()


def _text(text: Text, language: Language) -> str:
    return escape(language.plain(text))


def _summary(facts: Mapping[str, Any], language: Language) -> Iterable[str]:
    yield f"<p>{_text(scan_words.as_of(from_json(facts['scanned_at'])), language)}</p>"
    yield "<ul>"
    for name, value in facts["figures"]:
        yield f"<li>{_text(from_json(name), language)}: <strong>{_text(from_json(value), language)}</strong></li>"
    yield "</ul>"


def _findings(facts: Mapping[str, Any], language: Language) -> Iterable[str]:
    for summary, remedy in facts["said"]:
        yield f"<p><strong>{_text(from_json(summary), language)}</strong><br>{_text(from_json(remedy), language)}</p>"


def _problems(facts: Mapping[str, Any], language: Language) -> Iterable[str]:
    """Yield a table in which each thing stands once, with all its places."""
    if not facts["problems"]:
        return
    places: dict[tuple[Any, ...], list[str]] = {}
    for problem, why in zip(facts["problems"], facts["whys"], strict=True):
        known = places.setdefault((*(problem[name] for name in _ALIKE), language.plain(from_json(why))), [])
        theirs = [*problem["theme"], f"{problem['source']}:{problem['line']}"]
        known += [place for place in theirs if place not in known[: MOST_PLACES + 1]]
    heads = "".join(f"<th>{_text(one, language)}</th>" for one in scan_words.COLUMNS)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for alike, where in places.items():
        yield _row(alike, where, language)
    yield "</tbody></table>"


def _row(alike: tuple[Any, ...], places: list[str], language: Language) -> str:
    url, element, attribute, class_, mitigated, advised, why = alike
    kind = Kind(class_)
    what = _text(scan_words.KINDS[kind], language)
    if mitigated:
        what += f"<br>{_text(scan_words.MITIGATED, language)}"
    todo = f"<strong>{_text(scan_words.ADVICE[Advice(advised)], language)}</strong><br>{escape(why)}"
    where = "<br>".join(_code(place) for place in places[:MOST_PLACES])
    if len(places) > MOST_PLACES:
        where += f"<br>{_text(scan_words.more(len(places) - MOST_PLACES), language)}"
    cells = (f"{_code(url)}<br><small>{escape(f'{element} {attribute}')}</small>", what, todo, where)
    return f'<tr class="{kind.value}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _list(title: Text, urls: Iterable[str], language: Language) -> Iterable[str]:
    yield f"<h2>{_text(title, language)}</h2><ul>"
    yield from (f"<li>{_code(url)}</li>" for url in urls)
    yield "</ul>"


def _skipped(facts: Mapping[str, Any], language: Language) -> Iterable[str]:
    if not facts["skipped"]:
        return
    yield f"<h2>{_text(scan_words.SKIPPED, language)}</h2><ul>"
    for one, why in zip(facts["skipped"], facts["skips"], strict=True):
        yield f"<li>{_code(one['url'])} {_text(from_json(why), language)}</li>"
    yield "</ul>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
