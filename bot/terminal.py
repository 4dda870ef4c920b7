"""Shows replies in a terminal: readable text, styled where a person sits before it, and JSON for machines."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from json import dumps
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.text import Text as Line

from bot.terminal_text import clean, clean_lines, sentence, shown, typed_here
from bot.text.language import ENGLISH, Language
from commands.attachment import Attachment
from commands.reply import (
    Buttons,
    Code,
    Fields,
    Hint,
    Mark,
    Mention,
    Outcome,
    Paragraph,
    Part,
    Plan,
    Problem,
    Reply,
    Row,
    Rows,
    Steps,
    Tone,
)
from services.model.text import Text, Value, say

WIDTH = 100
"""Columns of text that goes to a file or a pipe."""

TONES: Mapping[Tone, tuple[str, str]] = {
    Tone.INFO: ("i", "bold cyan"),
    Tone.PROGRESS: ("…", "bold blue"),
    Tone.GOOD: ("✓", "bold green"),
    Tone.WARN: ("!", "bold yellow"),
    Tone.BAD: ("✗", "bold red"),
}
"""A sign, so that nothing hangs on colour, and a style for each tone."""
MARKS: Mapping[Mark, tuple[str, str]] = {
    Mark.DONE: ("✓", "green"),
    Mark.NOW: ("▶", "bold blue"),
    Mark.NEXT: ("·", "dim"),
    Mark.STOPPED: ("✗", "bold red"),
}
_OURS = frozenset({"usage", "example", "error", "remedy"})
"""Keys of the data whose values may speak of commands."""
_TRAILING = re.compile(r" +$", re.MULTILINE)
_PLAIN = str.maketrans({"✓": "+", "✗": "x", "▶": ">", "·": ".", "…": "...", "→": "->", "“": '"', "”": '"'})
"""For terminals whose encoding lacks the signs."""


def show(
    outcome: Outcome,
    *,
    json: bool = False,
    language: Language = ENGLISH,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> None:
    """Print ``outcome``: with ``json`` its data as one JSON document on ``out``, else its reply as text.

    ``out`` and ``err`` are the standard streams unless given. Usage errors go to ``err``, so that a pipe stays clean.
    """
    out = out or sys.stdout
    if json:
        print(as_json(outcome), file=out, flush=True)
        return
    stream = (err or sys.stderr) if outcome.exit_code == 2 else out
    _print(console_for(stream), view(outcome.reply, language=language))


def as_json(outcome: Outcome) -> str:
    """Return the outcome's data as an indented JSON document in ASCII, which no terminal takes for a command."""
    data: Mapping[str, Any] = (
        outcome.data if outcome.data is not None else {"message": sentence(outcome.reply.title)}
    )
    return dumps(_typed_here(data), indent=2)


def _typed_here(data: Any, key: str = "") -> Any:
    """Return the data with commands in it as they are typed in a terminal; only sentences of ours are touched."""
    if isinstance(data, Mapping):
        return {name: _typed_here(value, name) for name, value in data.items()}
    if isinstance(data, list):
        return [_typed_here(value, key) for value in data]
    return typed_here(data) if isinstance(data, str) and key in _OURS else data


def follow(replies: Iterable[Reply], *, language: Language = ENGLISH, out: TextIO | None = None) -> None:
    """Show each of ``replies`` in place of the one before; where the stream is no terminal, only lines that are new.

    Waits as long as the iterable does; the last reply stays on the screen.
    """
    console = console_for(out or sys.stdout)
    if not console.is_terminal:
        _follow_plainly(console, replies, language)
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        for reply in replies:
            live.update(view(reply, language=language), refresh=True)


def _follow_plainly(console: Console, replies: Iterable[Reply], language: Language) -> None:
    """Print a line for each step that is new, and the last reply in full."""
    last: Reply | None = None
    said: set[str] = set()
    for last in replies:
        for line in _steps(last, language):
            if line not in said:
                said.add(line)
                _print(console, Line(line))
    if last is not None:
        _print(console, view(last, language=language))


def _steps(reply: Reply, language: Language) -> Iterator[str]:
    """Yield what is under way in ``reply``, a line for each certificate; one alone has its name in the title."""
    alone = dict(reply.title.values).get("name", "")
    for part in reply.parts:
        if isinstance(part, Plan):
            step = next((label for label, mark in part.steps if mark is Mark.NOW), None)
            if step is not None:
                name = part.name or alone or reply.title
                yield sentence(say("{name}: {step}", name=name, step=step), language=language)
        if isinstance(part, Rows):
            for row in part.rows:
                yield sentence(say("{name}: {label}", name=row.name, label=row.label), language=language)


def text(
    reply: Reply, *, width: int = WIDTH, zone: tzinfo | None = None, language: Language = ENGLISH
) -> str:
    """Return ``reply`` as plain text, wrapped at ``width`` columns, moments in ``zone`` (None: the machine's own)."""
    console = Console(width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(view(reply, zone, language))
    return _TRAILING.sub("", capture.get())


def console_for(stream: TextIO) -> Console:
    """Return the console for a stream: a person's own width and colours, or WIDTH columns of plain text."""
    width = None if stream.isatty() else WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def _print(console: Console, what: RenderableType) -> None:
    """Print; where the stream cannot write a character of it, its signs are replaced by plain ones."""
    with console.capture() as capture:
        console.print(what)
    printed = _TRAILING.sub("", capture.get())
    encoding = console.encoding or "utf-8"
    try:
        printed.encode(encoding)
    except UnicodeEncodeError:
        printed = printed.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    console.file.write(printed)
    console.file.flush()


@dataclass(frozen=True, slots=True)
class _Reader:
    zone: tzinfo | None
    language: Language

    def sentence(self, text: Text) -> str:
        return sentence(text, self.zone, self.language)

    def shown(self, value: Value) -> str:
        return shown(value, self.zone, self.language)


def view(reply: Reply, zone: tzinfo | None = None, language: Language = ENGLISH) -> Group:
    """Return ``reply`` as something rich can print. Texts from outside are never read as mark-up."""
    reader = _Reader(zone, language)
    sign, style = TONES[reply.tone]
    title = Line.assemble((f"{sign} ", style), (reader.sentence(reply.title), "bold"))
    parts = (part for part in reply.parts if not isinstance(part, Buttons))  # nothing can be clicked here
    return Group(title, *(_placed(part, reader) for part in parts))


def _placed(part: Part, reader: _Reader) -> RenderableType:
    """Return one part below the title; code stands at the margin, so that it can be copied as it is."""
    drawn = _DRAW[type(part)](part, reader)
    return drawn if isinstance(part, Code | Steps) else _indented(drawn)


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, 2))


def _paragraph(part: Paragraph | Mention, reader: _Reader) -> Line:
    return Line(reader.sentence(part.text))


def _hint(part: Hint, reader: _Reader) -> Line:
    return Line.assemble(("→ ", "dim"), (reader.sentence(part.text), "dim"))


def _fields(part: Fields, reader: _Reader) -> Group:
    pairs = [(reader.sentence(label), reader.shown(value)) for label, value in part.pairs]
    width = max((cell_len(label) for label, _ in pairs), default=0)
    if width > 30:  # commands with their summaries: one below the other
        return Group(*(Line.assemble((label, "bold"), "\n  ", value) for label, value in pairs))
    return Group(*(_field(label, value, width) for label, value in pairs))


def _field(label: str, value: str, width: int) -> Line:
    return Line.assemble((label + " " * (width - cell_len(label)), "dim"), "  ", value)


def _plan(part: Plan, reader: _Reader) -> Line:
    steps = [(reader.sentence(label), *MARKS[mark]) for label, mark in part.steps]
    drawn = [piece for label, sign, style in steps for piece in ((f"{sign} {label}", style), ("  ", ""))]
    line = Line.assemble(*drawn[:-1])
    return Line.assemble((clean(part.name), "bold"), "\n", line) if part.name else line


def _problem(part: Problem, reader: _Reader) -> Group:
    sign, style = TONES[Tone.BAD if part.blocks else Tone.WARN]
    first = Line.assemble((f"{sign} ", style), reader.sentence(part.summary))
    todo = reader.sentence(say("What to do: {remedy}", remedy=part.remedy))
    whose = reader.sentence(say("Whose move: {owner}", owner=part.owner))
    code = Line.assemble((f"{whose} [{clean(part.code)}]", "dim"))
    return Group(first, _indented(Group(Line(todo), code)))


def _rows(part: Rows, reader: _Reader) -> Group:
    width = min(max((cell_len(_begin(row, reader)) for row in part.rows), default=0), 40)
    return Group(*(_row(row, width, reader) for row in part.rows))


def _row(row: Row, width: int, reader: _Reader) -> Line:
    sign, style = TONES[row.tone]
    name = _begin(row, reader)
    label, detail = reader.sentence(row.label), reader.sentence(row.detail)
    gap = " " * max(0, width - cell_len(name))
    return Line.assemble(
        (f"{sign} ", style), (name, "bold"), f"{gap}  {label}", f"  {detail}" if detail else ""
    )


def _begin(row: Row, reader: _Reader) -> str:
    return reader.sentence(row.name) if isinstance(row.name, Text) else clean(row.name)


def _code(part: Code, _reader: _Reader) -> Line:
    return Line(clean_lines(part.text), overflow="fold")


def _steps_to_copy(part: Steps, reader: _Reader) -> Line:
    return Line("\n".join(reader.sentence(line) for line in part.lines), overflow="fold")


def _attachment(part: Attachment, reader: _Reader) -> Line:
    said = say(
        "A file belongs to this answer: {name}. To have it, type again with {option}",
        name=part.kind,
        option="--files FOLDER",
    )
    return _hint(Hint(said), reader)


_DRAW: Mapping[type[Part], Callable[[Any, _Reader], RenderableType]] = {
    Paragraph: _paragraph,
    Hint: _hint,
    Fields: _fields,
    Plan: _plan,
    Problem: _problem,
    Rows: _rows,
    Code: _code,
    Steps: _steps_to_copy,
    Mention: _paragraph,
    Attachment: _attachment,
}
