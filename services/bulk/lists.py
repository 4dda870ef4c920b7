"""A list of names in a file: a name in each line, or ``store,name``. Every line is judged before anything is done."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services import naming
from services.bulk.plans import MOST, Chosen
from services.desk import Desk
from services.issuance.adding import refuses
from services.model.errors import CertdeskError, InvalidNameError
from services.model.sight import Sight
from services.model.text import Text, say
from services.overview import owned_subject

MOST_BYTES = 256 * 1024
HEADERS = (("name",), ("domain",), ("store", "name"), ("store", "domain"))
"""First lines that are no names."""


class ListRefusedError(CertdeskError):
    """The file cannot be read as a list of names."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that names nothing that can be added, and why."""

    line: int
    given: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says: names to be added, and the lines that are wrong."""

    chosen: tuple[Chosen, ...]
    bad: tuple[BadLine, ...]


def read(desk: Desk, content: bytes, store: str | None, visible: Sight) -> Read:
    """Return what the file's ``content`` says for somebody who may change the stores that are ``visible``.

    ``store`` is meant where a line names none. A name of a store that is not theirs looks like one of nobody's. Raises
    ListRefusedError for what is no text, is too long, or says nothing.
    """
    if len(content) > MOST_BYTES:
        raise ListRefusedError(
            say(
                "The file has more than {most} kilobytes. Nothing was done; send it in parts.",
                most=MOST_BYTES // 1024,
            )
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ListRefusedError(
            say("The file is not UTF-8 text. Nothing was done; save it as UTF-8 and send it again.")
        ) from None
    lines = _distinct(text)
    chosen: dict[str, Chosen] = {}
    bad: list[BadLine] = []
    for cells, line in lines.items():
        found = _judged(desk, cells, store, visible)
        if isinstance(found, Text):
            bad.append(BadLine(line, ",".join(cells), found))
        else:
            chosen.setdefault(found.name, found)
    return Read(tuple(chosen.values()), tuple(bad))


def _distinct(text: str) -> Mapping[tuple[str, ...], int]:
    """Return what the lines say, each once, with the number of the first that says it.

    Raises ListRefusedError for none and for too many: judging one costs questions to the database, so they are counted
    before any is judged.
    """
    found: dict[tuple[str, ...], int] = {}
    for line, cells in _lines(text):
        found.setdefault(cells, line)
        if len(found) > MOST:
            raise ListRefusedError(
                say("The file has more than {most} names. Nothing was done; send it in parts.", most=MOST)
            )
    if not found:
        raise ListRefusedError(say("The file has no names in it. Nothing was done."))
    return found


def _lines(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the lines that say something with their numbers, without a header and without remarks (#)."""
    reader = csv.reader(io.StringIO(text, newline=""))
    first = True
    try:
        for row in reader:
            cells = tuple(cell.strip() for cell in row)
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not (first and tuple(cell.lower() for cell in cells) in HEADERS):
                yield reader.line_num, cells
            first = False
    except csv.Error as error:
        raise ListRefusedError(
            say(
                "Line {line} is not CSV ({reason}). Nothing was done.",
                line=reader.line_num,
                reason=str(error),
            )
        ) from None


def _judged(desk: Desk, cells: tuple[str, ...], store: str | None, visible: Sight) -> Chosen | Text:
    """Return the name of a line, or why it cannot be added."""
    if len(cells) > 2:
        return say("it has {count} cells; a line is a name, or a store and a name", count=len(cells))
    try:
        name = naming.parse(cells[-1])
    except InvalidNameError as error:
        return error.text
    meant = (cells[0] or store) if len(cells) == 2 else store
    with desk.storage.read() as tx:
        subject = owned_subject(tx, name, meant, visible)
    refused = next((f for f in desk.checker.rules(subject) if refuses(f)), None)
    if refused is not None:
        return refused.summary
    return Chosen("", subject.store.id if subject.store else "", name)
