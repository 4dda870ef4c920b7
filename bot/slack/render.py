"""From a Reply to a Slack message: pure, within Slack's limits, and readable without telling colours apart."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from bot.slack.escape import clip, code, fit, names_somebody, size
from bot.slack.limits import (
    MAX_BLOCKS,
    MAX_FIELD,
    MAX_FIELDS,
    MAX_HEADER,
    text_size,
)
from bot.slack.plainer import plainer
from bot.slack.reader import Reader
from bot.slack.render_actions import Actions, mentioned
from bot.slack.sections import Block, context, fenced, mrkdwn_text, plain_text, section, sections
from bot.text.language import ENGLISH, Language
from commands.attachment import Attachment
from commands.reply import (
    Buttons,
    Code,
    Fields,
    Hint,
    Mark,
    Mention,
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
from services.model.text import Text, say

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
MAX_FALLBACK = 1200
BUDGET = 11_500
"""Characters of all blocks together; with the fallback text it stays under what Slack takes."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as chat.postMessage takes it."""

    text: str
    """The fallback: shown in notifications, read by screen readers, and sent alone if the blocks are refused."""
    blocks: tuple[Block, ...]


def render(
    reply: Reply, command: str = "/ssl", *, language: Language = ENGLISH, date_tokens: bool = True
) -> Rendered:
    """Return ``reply`` as blocks and fallback text; ``command`` is the slash command's name, for hints.

    Without ``date_tokens`` it is in the mark-up of workspaces that show such tokens as they are written (`plainer`).
    """
    reader = Reader(command, language)
    drawn = [_Drawn(header(reply.tone, reply.title, reader), kept=True), *_drawn(reply.parts, reader)]
    text = _fallback(reply, reader)
    if not date_tokens:
        drawn, text = [replace(one, block=plainer(one.block)) for one in drawn], plainer(text)
    return Rendered(text, tuple(_within(drawn, reader)))


def blocks_of(parts: Iterable[Part], reader: Reader, actions: Actions | None = None) -> list[Block]:
    """Return the blocks of ``parts``, not cut to what a message holds: for views, which hold twice as many.

    ``actions``: those of the view, which knows of all its buttons.
    """
    return [one.block for one in _drawn(parts, reader, actions)]


def title(text: Text, tone: Tone | None, reader: Reader) -> Block:
    """Return a title within a page, with the sign of its tone if it has one."""
    if tone is not None:
        return header(tone, text, reader)
    return {"type": "header", "text": plain_text(clip(reader.plain(text), MAX_HEADER) or "certdesk")}


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A block, and whether it stays where the message has to be cut."""

    block: Block
    kept: bool = False


_KEPT = (Mention, Buttons)
"""A message that is cut still calls whom it has to call, and can be acted upon."""
MOST_KEPT = 6
MAX_KEPT = 1500
"""As long as they are few blocks, and none is of unheard-of size."""


def _drawn(parts: Iterable[Part], reader: Reader, actions: Actions | None = None) -> Iterator[_Drawn]:
    actions, kept = actions or Actions(reader), 0
    for part in parts:
        blocks = actions.draw(part) if isinstance(part, Buttons) else _DRAW[type(part)](part, reader)
        for block in blocks:
            keep = isinstance(part, _KEPT) and kept < MOST_KEPT and text_size(block) <= MAX_KEPT
            kept += keep
            yield _Drawn(block, keep)


def header(tone: Tone, text: Text, reader: Reader) -> Block:
    """Return the title; no header is one that names a person or a channel, whose id it would show, or is longer in this language."""
    title = reader.plain(text) or "certdesk"
    if names_somebody(text) or size(title) > MAX_HEADER - 3:
        return {
            "type": "section",
            "text": mrkdwn_text(f"{TONES[tone]} {fit(reader.mrkdwn(text), MAX_ROW)}"),
        }
    return {"type": "header", "text": plain_text(clip(f"{TONES[tone]} {title}", MAX_HEADER))}


def _paragraph(part: Paragraph, reader: Reader) -> Iterator[Block]:
    yield from section(reader.mrkdwn(part.text))


def _hint(part: Hint, reader: Reader) -> Iterator[Block]:
    yield from context(reader.mrkdwn(part.text))


def _fields(part: Fields, reader: Reader) -> Iterator[Block]:
    shown = [_field(reader.mrkdwn(label), reader.value(value)) for label, value in part.pairs]
    for start in range(0, len(shown), MAX_FIELDS):
        yield {"type": "section", "fields": shown[start : start + MAX_FIELDS]}


def _field(label: str, value: str) -> Block:
    return mrkdwn_text(fit(f"*{fit(label, 100) or '—'}*\n{value or '—'}", MAX_FIELD))


def _plan(part: Plan, reader: Reader) -> Iterator[Block]:
    steps = " → ".join(
        f"{MARKS[mark]} {_emphasised(reader.mrkdwn(label), mark)}" for label, mark in part.steps
    )
    yield from section("\n".join(line for line in (code(part.name), steps) if line))


def _emphasised(label: str, mark: Mark) -> str:
    shown = fit(label, MAX_ROW)
    return f"*{shown}*" if mark in (Mark.NOW, Mark.STOPPED) and shown else shown


def _problem(part: Problem, reader: Reader) -> Iterator[Block]:
    sign = TONES[Tone.BAD if part.blocks else Tone.WARN]
    lines = [f"{sign} {reader.mrkdwn(part.summary)}"]
    if remedy := reader.mrkdwn(part.remedy):
        lines.append(f"*{reader.mrkdwn(say('What to do:'))}* {remedy}")
    yield from section("\n".join(lines))
    yield from context(
        _join_words(reader.mrkdwn(say("Whose move: {owner}", owner=part.owner)), code(part.code))
    )


def _rows(part: Rows, reader: Reader) -> Iterator[Block]:
    lines = [_row(row, reader) for row in part.rows[:MAX_ROWS]]
    yield from sections(lines)
    if (left := len(part.rows) - MAX_ROWS) > 0:
        hint = say("… and {count} more: {command}", count=left, command=f"{reader.command} status NAME")
        yield from context(reader.mrkdwn(hint))


def _row(row: Row, reader: Reader) -> str:
    name = f"*{reader.mrkdwn(row.name)}*" if isinstance(row.name, Text) else code(row.name)
    words = _join_words(name, reader.mrkdwn(row.label), reader.mrkdwn(row.detail))
    return fit(f"{TONES[row.tone]} {words}", MAX_ROW)


def _code(part: Code, _reader: Reader) -> Iterator[Block]:
    yield from fenced(part.text.splitlines())


def _steps(part: Steps, reader: Reader) -> Iterator[Block]:
    yield from fenced(reader.language.plain(line) for line in part.lines)


def _mention(part: Mention, reader: Reader) -> Iterator[Block]:
    yield from section(_mentioned(part, reader))


def _mentioned(part: Mention, reader: Reader) -> str:
    return " ".join(word for word in (mentioned(part.groups), fit(reader.mrkdwn(part.text), MAX_ROW)) if word)


_DRAW: Mapping[type[Part], Callable[[Any, Reader], Iterator[Block]]] = {
    Paragraph: _paragraph,
    Hint: _hint,
    Fields: _fields,
    Plan: _plan,
    Problem: _problem,
    Rows: _rows,
    Code: _code,
    Steps: _steps,
    Mention: _mention,
    Attachment: lambda _part, _reader: iter(()),  # it goes beside the blocks: bot.slack.sharing
}
"""How each part is drawn; `Buttons` need to know of each other, see `Actions`."""


def _join_words(*words: str) -> str:
    return " · ".join(word for word in words if word)


def _within(drawn: list[_Drawn], reader: Reader) -> Iterator[Block]:
    """Yield the blocks that one message holds: what is kept, and as many of the others as there is room for."""
    hint = say("This message was cut. For one name alone: {command}", command=f"{reader.command} status NAME")
    [note] = context(reader.mrkdwn(hint))
    room = BUDGET - sum(text_size(one.block) for one in drawn if one.kept)
    places = MAX_BLOCKS - sum(one.kept for one in drawn)
    rest = [one.block for one in drawn if not one.kept]
    fitting = len(rest) if len(rest) <= places and sum(map(text_size, rest)) <= room else None
    if fitting is None:
        fitting = _fitting(rest[: places - 1], room - text_size(note))
    for one in drawn:
        if one.kept:
            yield one.block
        elif fitting > 0:
            yield one.block
            fitting -= 1
        elif fitting == 0:
            yield note
            fitting = -1


def _fitting(blocks: list[Block], room: int) -> int:
    """Return how many of the blocks, from the first one on, have at most ``room`` characters together."""
    sizes = accumulate(map(text_size, blocks))
    return sum(size_so_far <= room for size_so_far in sizes)


def _fallback(reply: Reply, reader: Reader) -> str:
    lines = [f"{TONES[reply.tone]} {fit(reader.mrkdwn(reply.title), MAX_ROW)}"]
    lines += [
        _mentioned(part, reader) for part in reply.parts if isinstance(part, Mention)
    ]  # first: a cut spares them
    lines += [line for part in reply.parts for line in _SPOKEN.get(type(part), _silent)(part, reader)]
    return fit("\n".join(line for line in lines if line.strip()), MAX_FALLBACK)


def _silent(_part: Part, _reader: Reader) -> Iterator[str]:
    return iter(())


def _spoken_plan(part: Plan, reader: Reader) -> Iterator[str]:
    for label, mark in part.steps:
        if mark in (Mark.NOW, Mark.STOPPED):
            yield f"{MARKS[mark]} {_join_words(code(part.name), reader.mrkdwn(label))}"


_SPOKEN: Mapping[type[Part], Callable[[Any, Reader], Iterator[str]]] = {
    Paragraph: lambda part, reader: iter([reader.mrkdwn(part.text)]),
    Problem: lambda part, reader: iter([reader.mrkdwn(part.summary), reader.mrkdwn(part.remedy)]),
    Plan: _spoken_plan,
    Rows: lambda part, reader: (_row(row, reader) for row in part.rows[:MAX_ROWS]),
    Hint: lambda part, reader: iter([reader.mrkdwn(part.text)]),
}
