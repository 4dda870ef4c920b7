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
    ".blockable,.form{border-left:5px solid #c0392b}.upgradeable{border-left:5px solid #d68910}"
)
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


def _findings(facts: Mapping[str, Any], language: Language) -> Iterable[str]:
    for summary, remedy in facts["said"]:
        yield f"<p><strong>{_text(from_json(summary), language)}</strong><br>{_text(from_json(remedy), language)}</p>"


def _problems(facts: Mapping[str, Any], language: Language) -> Iterable[str]:
    if not facts["problems"]:
        return
    heads = "".join(f"<th>{_text(one, language)}</th>" for one in scan_words.COLUMNS)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for problem, why in zip(facts["problems"], facts["whys"], strict=True):
        yield _row(problem, from_json(why), language)
    yield "</tbody></table>"


def _row(problem: Mapping[str, Any], why: Text, language: Language) -> str:
    kind = Kind(problem["class"])
    what = _text(scan_words.KINDS[kind], language)
    if problem["mitigated"]:
        what += f"<br>{_text(scan_words.MITIGATED, language)}"
    todo = f"{_text(scan_words.ADVICE[Advice(problem['advice'])], language)}<br>{_text(why, language)}"
    where = f"{_code(problem['page'])}<br>{_code(problem['source'] + ':' + str(problem['line']))}"
    places = "".join(f"<br>{_code(place)}" for place in problem["theme"])
    tag = f"{problem['element']} {problem['attribute']}"
    cells = (f"{_code(problem['url'])}<br>{_code(tag)}", what, todo, where + places)
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
