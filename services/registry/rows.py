"""The rows of a file of stores, CSV or JSON, one at a time: each is a good row or a bad one with its place and reason."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from services import naming
from services.model.errors import CertdeskError, ImportRefusedError, InvalidNameError
from services.model.stores import StoreStatus
from services.model.text import Phrase, Text, say

COLUMNS = ("store", "status", "locale", "domain", "default")
OPTIONAL = ("tags",)
"""Columns that a CSV file may have besides."""
MOST_TAGS = 20
"""Tags that one store may have."""
_TAG = re.compile(r"[^\W_][\w.:-]{0,39}")
_STORE = re.compile(r"[^\W_][\w.-]{0,63}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # the shape of BCP 47 tags
_STORE_KEYS = frozenset({"store", "status", "locale", "domains", "tags"})
_DOMAIN_KEYS = frozenset({"name", "default"})


@dataclass(frozen=True, slots=True)
class StoreRow:
    """One good row: a store, and one of its domains if it has any."""

    place: Text
    """Where it stands in the file."""
    store: str
    status: StoreStatus
    locale: str
    domain: str | None
    """Normalised; None for a store without domains."""
    default: bool
    tags: tuple[str, ...] | None = None
    """Sorted, in small letters, each once; None where the file does not speak of tags."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """One bad row: where it stands and what is wrong with it."""

    place: Text
    reason: Text


class _BadCellError(CertdeskError):
    """A cell does not hold what it has to."""


def scan(path: Path) -> Iterator[StoreRow | BadRow]:
    """Yield the rows of the file, in order: JSON if its name ends in .json or it begins with a bracket, else CSV.

    The encoding is UTF-8, with or without a byte order mark. CSV is read row by row, JSON as a whole. Raises
    ImportRefusedError if the file cannot be read, is not UTF-8, or has no header that fits.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _json_rows(path, file) if _is_json(path, file) else _csv_rows(path, file)
    except OSError as error:
        raise _refused(
            Phrase("{file} cannot be read: {reason}."), path, reason=error.strerror or str(error)
        ) from error
    except UnicodeDecodeError as error:
        raise _refused(
            Phrase("{file} is not UTF-8 text. Save it as UTF-8 and import it again."), path
        ) from error


def _is_json(path: Path, file: TextIO) -> bool:
    first = file.read(64).lstrip()[:1]
    file.seek(0)
    return path.suffix.lower() == ".json" or first in {"[", "{"}


def _refused(template: Phrase, path: Path, **values: str | tuple[str, ...]) -> ImportRefusedError:
    return ImportRefusedError(template.said(file=path.name, **values))


# --- CSV -----------------------------------------------------------------------------------------------------------


def _csv_rows(path: Path, file: TextIO) -> Iterator[StoreRow | BadRow]:
    reader = csv.reader(file, strict=True)
    try:
        order = _header(path, next(reader, []))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _csv_row(say("Line {line}", line=reader.line_num), order, cells)
    except csv.Error as error:
        reason = say("this is not CSV ({reason})", reason=str(error))
        yield BadRow(say("Line {line}", line=reader.line_num), reason)


def _header(path: Path, cells: list[str]) -> tuple[str, ...]:
    found = tuple(cell.strip().lower() for cell in cells)
    if sorted(set(found) | set(OPTIONAL)) != sorted((*COLUMNS, *OPTIONAL)) or len(set(found)) < len(found):
        text = Phrase(
            "{file} does not begin with the header {wanted} (and tags, if it speaks of them); its first line has: {found}."
        )
        raise _refused(text, path, wanted=",".join(COLUMNS), found=found)
    return found


def _csv_row(place: Text, order: tuple[str, ...], cells: list[str]) -> StoreRow | BadRow:
    if len(cells) != len(order):
        count = say("it has {count} cells, and the header has {wanted}", count=len(cells), wanted=len(order))
        return BadRow(place, count)
    cell = dict(zip(order, cells, strict=True))
    try:
        store, status, locale = _store(cell["store"]), read_status(cell["status"]), _locale(cell["locale"])
        domain = cell["domain"].strip()
        default = _boolean(cell["default"]) if domain or cell["default"].strip() else False
        tags = read_tags(cell["tags"].split()) if "tags" in cell else None
        name = naming.parse(domain) if domain else None
        return StoreRow(place, store, status, locale, name, default, tags)
    except (_BadCellError, InvalidNameError) as error:
        return BadRow(place, error.text)


# --- JSON ----------------------------------------------------------------------------------------------------------


def _json_rows(path: Path, file: TextIO) -> Iterator[StoreRow | BadRow]:
    try:
        stores = json.load(file)
    except json.JSONDecodeError as error:
        text = Phrase("{file} is not JSON: {reason} in line {line}, column {column}.")
        where = {"line": str(error.lineno), "column": str(error.colno)}
        raise _refused(text, path, reason=error.msg, **where) from error
    except RecursionError as error:
        raise _refused(Phrase("{file} is not a list of stores: it is nested too deeply."), path) from error
    if not isinstance(stores, list):
        raise _refused(Phrase("{file} does not hold a list of stores."), path)
    for number, store in enumerate(stores, 1):
        yield from _json_store(say("Store {number} of the list", number=number), store)


def _json_store(place: Text, data: Any) -> Iterator[StoreRow | BadRow]:
    try:
        _keys(data, _STORE_KEYS, required=frozenset({"store", "status"}))
        store, status = _store(_text(data, "store")), read_status(_text(data, "status"))
        locale = _locale(_text(data, "locale")) if "locale" in data else _locale("")
        domains = _list(data, "domains")
        tags = _tags(data) if "tags" in data else None
    except _BadCellError as error:
        yield BadRow(place, error.text)
        return
    if not domains:
        yield StoreRow(place, store, status, locale, None, default=False, tags=tags)
    for number, domain in enumerate(domains, 1):
        where = say("Store {store}, domain {number}", store=store, number=number)
        yield _json_domain(StoreRow(where, store, status, locale, None, default=False, tags=tags), domain)


def _json_domain(row: StoreRow, data: Any) -> StoreRow | BadRow:
    try:
        _keys(data, _DOMAIN_KEYS, required=frozenset({"name"}))
        default, name = _flag(data, "default"), naming.parse(_text(data, "name"))
    except (_BadCellError, InvalidNameError) as error:
        return BadRow(row.place, error.text)
    return replace(row, domain=name, default=default)


def _tags(data: Mapping[str, Any]) -> tuple[str, ...]:
    words = _list(data, "tags")
    if not all(isinstance(word, str) for word in words):
        raise _BadCellError(say("“{key}” is not a list of texts", key="tags"))
    return read_tags(words)


def _keys(data: Any, known: frozenset[str], required: frozenset[str]) -> None:
    if not isinstance(data, Mapping):
        raise _BadCellError(say("it is not an object with the keys {keys}", keys=tuple(sorted(known))))
    if unknown := sorted(set(data) - known):
        raise _BadCellError(say("it has unknown keys: {keys}", keys=tuple(unknown)))
    if missing := sorted(required - set(data)):
        raise _BadCellError(say("these keys are missing: {keys}", keys=tuple(missing)))


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data[key]
    if not isinstance(value, str):
        raise _BadCellError(say("“{key}” is not a text", key=key))
    return value


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise _BadCellError(say("“{key}” is not a list", key=key))
    return value


def _flag(data: Mapping[str, Any], key: str) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise _BadCellError(say("“{key}” is neither true nor false", key=key))
    return value


# --- cells ---------------------------------------------------------------------------------------------------------


def _store(text: str) -> str:
    store = text.strip()
    if not _STORE.fullmatch(store):
        reason = "“{given}” is no store id: 1 to 64 letters, digits, dots, hyphens and underscores"
        raise _BadCellError(say(reason, given=_short(store)))
    return store


def read_status(text: str) -> StoreStatus:
    """Return the status that ``text`` names, in any case. Raises CertdeskError for anything else."""
    try:
        return StoreStatus(text.strip().lower())
    except ValueError:
        reason = "“{given}” is no status: it is one of {known}"
        known = tuple(status.value for status in StoreStatus)
        raise _BadCellError(say(reason, given=_short(text), known=known)) from None


def read_tags(words: Iterable[str]) -> tuple[str, ...]:
    """Return the tags sorted, in small letters, each once. Raises CertdeskError for one that is no word, and for too many."""
    tags = sorted({word.strip().lower() for word in words})
    if wrong := [tag for tag in tags if not _TAG.fullmatch(tag)]:
        reason = "“{given}” is no tag: 1 to 40 letters, digits, dots, colons, hyphens and underscores"
        raise _BadCellError(say(reason, given=_short(wrong[0])))
    if len(tags) > MOST_TAGS:
        raise _BadCellError(
            say("it has {count} tags, and {most} are the most", count=len(tags), most=MOST_TAGS)
        )
    return tuple(tags)


def _locale(text: str) -> str:
    """Return the tag with its usual capitals (BCP 47 §2.1.1), such as ko-KR; nothing means English."""
    tag = text.strip()
    if not tag:
        return "en"
    if not _LOCALE.fullmatch(tag):
        raise _BadCellError(say("“{given}” is no locale, such as en or ko-KR", given=_short(tag)))
    language, *rest = tag.split("-")
    return "-".join([language.lower(), *(_cased(part) for part in rest)])


def _cased(part: str) -> str:
    return {2: part.upper(), 4: part.title()}.get(len(part), part.lower())


def _boolean(text: str) -> bool:
    value = {"true": True, "false": False}.get(text.strip().lower())
    if value is None:
        raise _BadCellError(say("“{given}” is neither true nor false", given=_short(text)))
    return value


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
