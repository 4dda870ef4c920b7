"""From a Reply to a Slack message: pure, within Slack's limits, and readable without telling colours apart."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.escape import clip, code, fit, mrkdwn, plain, preformatted, size, value_mrkdwn
from bot.slack.limits import (
    MAX_BLOCKS,
    MAX_FIELD,
    MAX_FIELDS,
    MAX_HEADER,
    MAX_SECTION,
    text_size,
)
from commands.reply import Code, Fields, Hint, Mark, Paragraph, Part, Plan, Problem, Reply, Row, Rows, Tone
from services.model.text import Text, say

Block = dict[str, Any]

TONES: Mapping[Tone, str] = {
    Tone.INFO: "ℹ️",  # noqa: RUF001 - the sign that is meant
    Tone.PROGRESS: "⏳",
    Tone.GOOD: "✅",
    Tone.WARN: "⚠️",
    Tone.BAD: "⛔",
}
"""One sign for each tone, told apart by shape."""
MARKS: Mapping[Mark, str] = {Mark.DONE: "✓", Mark.NOW: "▸", Mark.NEXT: "○", Mark.STOPPED: "✕"}
"""Marks of the steps: outlines that differ, because a full and an empty circle look alike in small and in some fonts."""

MAX_ROWS = 30
MAX_ROW = 300
MAX_CODE_LINE = 500
MAX_FALLBACK = 1200
BUDGET = 11_500
"""Characters of all blocks together; with the fallback text it stays under what Slack takes."""
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as chat.postMessage takes it."""

    text: str
    """The fallback: shown in notifications, read by screen readers, and sent alone if the blocks are refused."""
    blocks: tuple[Block, ...]


def render(reply: Reply, command: str = "/ssl", *, date_tokens: bool = True) -> Rendered:
    """Return ``reply`` as blocks and fallback text; ``command`` is the slash command's name, for hints.

    Without ``date_tokens`` moments read as in UTC, for workspaces that show Slack's tokens as they are written.
    """
    drawn = (block for part in reply.parts for block in _DRAW[type(part)](part, command))
    rendered = Rendered(_fallback(reply), tuple(_within([_header(reply), *drawn], command)))
    return rendered if date_tokens else _with_moments_in_utc(rendered)


_DATE_TOKEN = re.compile(r"<!date\^[^|>]*\|([^>]*)>")  # only our own: "<" from outside has become an entity


def _with_moments_in_utc(rendered: Rendered) -> Rendered:
    return Rendered(_DATE_TOKEN.sub(r"\1", rendered.text), tuple(_in_utc(rendered.blocks)))


def _in_utc(piece: Any) -> Any:
    """Return a piece of blocks with each date token replaced by its fallback, which is the moment in UTC."""
    if isinstance(piece, dict):
        return {key: _in_utc(value) for key, value in piece.items()}
    if isinstance(piece, list | tuple):
        return [_in_utc(item) for item in piece]
    return _DATE_TOKEN.sub(r"\1", piece) if isinstance(piece, str) else piece


def _header(reply: Reply) -> Block:
    title = plain(reply.title) or "certdesk"
    return {"type": "header", "text": _plain_text(clip(f"{TONES[reply.tone]} {title}", MAX_HEADER))}


def _paragraph(part: Paragraph, _command: str) -> Iterator[Block]:
    yield from _section(mrkdwn(part.text))


def _hint(part: Hint, _command: str) -> Iterator[Block]:
    yield from _context(mrkdwn(part.text))


def _fields(part: Fields, _command: str) -> Iterator[Block]:
    shown = [_field(label, value_mrkdwn(value)) for label, value in part.pairs]
    for start in range(0, len(shown), MAX_FIELDS):
        yield {"type": "section", "fields": shown[start : start + MAX_FIELDS]}


def _field(label: Text, value: str) -> Block:
    return _mrkdwn_text(fit(f"*{fit(mrkdwn(label), 100) or '—'}*\n{value or '—'}", MAX_FIELD))


def _plan(part: Plan, _command: str) -> Iterator[Block]:
    steps = " → ".join(f"{MARKS[mark]} {_emphasised(label, mark)}" for label, mark in part.steps)
    yield from _section("\n".join(line for line in (code(part.name), steps) if line))


def _emphasised(label: Text, mark: Mark) -> str:
    shown = fit(mrkdwn(label), MAX_ROW)
    return f"*{shown}*" if mark in (Mark.NOW, Mark.STOPPED) and shown else shown


def _problem(part: Problem, _command: str) -> Iterator[Block]:
    sign = TONES[Tone.BAD if part.blocks else Tone.WARN]
    lines = [f"{sign} {mrkdwn(part.summary)}"]
    if remedy := mrkdwn(part.remedy):
        lines.append(f"*{mrkdwn(say('What to do:'))}* {remedy}")
    yield from _section("\n".join(lines))
    yield from _context(_join_words(mrkdwn(say("Whose move: {owner}", owner=part.owner)), code(part.code)))


def _rows(part: Rows, command: str) -> Iterator[Block]:
    lines = [_row(row) for row in part.rows[:MAX_ROWS]]
    yield from _sections(lines)
    if (left := len(part.rows) - MAX_ROWS) > 0:
        hint = say("… and {count} more: {command}", count=left, command=f"{command} status NAME")
        yield from _context(mrkdwn(hint))


def _row(row: Row) -> str:
    words = _join_words(code(row.name), mrkdwn(row.label), mrkdwn(row.detail))
    return fit(f"{TONES[row.tone]} {words}", MAX_ROW)


def _code(part: Code, _command: str) -> Iterator[Block]:
    lines = [fit(preformatted(line), MAX_CODE_LINE) for line in part.text.splitlines()]
    yield from _sections(lines, before=f"{_FENCE}\n", after=f"\n{_FENCE}")


_DRAW: Mapping[type[Part], Callable[[Any, str], Iterator[Block]]] = {
    Paragraph: _paragraph,
    Hint: _hint,
    Fields: _fields,
    Plan: _plan,
    Problem: _problem,
    Rows: _rows,
    Code: _code,
}


def _sections(lines: Iterable[str], before: str = "", after: str = "") -> Iterator[Block]:
    """Yield as few sections as hold the lines; each section stands between ``before`` and ``after``."""
    room = MAX_SECTION - len(before) - len(after)
    held: list[str] = []
    for line in lines:
        if held and size("\n".join([*held, line])) > room:
            yield from _section(before + "\n".join(held) + after)
            held = []
        held.append(line)
    if any(held):
        yield from _section(before + "\n".join(held) + after)


def _section(marked: str) -> Iterator[Block]:
    if marked.strip():
        yield {"type": "section", "text": _mrkdwn_text(fit(marked, MAX_SECTION))}


def _context(marked: str) -> Iterator[Block]:
    if marked.strip():
        yield {"type": "context", "elements": [_mrkdwn_text(fit(marked, MAX_SECTION))]}


def _mrkdwn_text(marked: str) -> Block:
    return {"type": "mrkdwn", "text": marked, "verbatim": True}  # Slack then makes no links of its own


def _plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}  # :words: stay words


def _join_words(*words: str) -> str:
    return " · ".join(word for word in words if word)


def _within(blocks: list[Block], command: str) -> Iterator[Block]:
    """Yield the blocks that one message holds, and say so if some were left out."""
    hint = say("This message was cut. For one name alone: {command}", command=f"{command} status NAME")
    [note] = _context(mrkdwn(hint))
    room = BUDGET - text_size(note)
    for place, block in enumerate(blocks):
        room -= text_size(block)
        last_place = place + 1 == MAX_BLOCKS and len(blocks) > MAX_BLOCKS
        if room < 0 or last_place:
            yield note
            return
        yield block


def _fallback(reply: Reply) -> str:
    lines = [f"{TONES[reply.tone]} {fit(mrkdwn(reply.title), MAX_ROW)}"]
    lines += [line for part in reply.parts for line in _SPOKEN.get(type(part), _silent)(part)]
    return fit("\n".join(line for line in lines if line.strip()), MAX_FALLBACK)


def _silent(_part: Part) -> Iterator[str]:
    return iter(())


def _spoken_plan(part: Plan) -> Iterator[str]:
    for label, mark in part.steps:
        if mark in (Mark.NOW, Mark.STOPPED):
            yield f"{MARKS[mark]} {_join_words(code(part.name), mrkdwn(label))}"


_SPOKEN: Mapping[type[Part], Callable[[Any], Iterator[str]]] = {
    Paragraph: lambda part: iter([mrkdwn(part.text)]),
    Problem: lambda part: iter([mrkdwn(part.summary), mrkdwn(part.remedy)]),
    Plan: _spoken_plan,
    Rows: lambda part: (_row(row) for row in part.rows[:MAX_ROWS]),
    Hint: lambda part: iter([mrkdwn(part.text)]),
}
