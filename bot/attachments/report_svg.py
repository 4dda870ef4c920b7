"""Draws the report as SVG: ends by week above, how attempts ended and what is in the way below. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.dates import format_skeleton
from rich.cells import cell_len, set_cell_size

from bot.attachments import report_words as words
from bot.attachments.raster import FAMILY
from bot.attachments.svg import GREY, INK, Label, bar, document, line, nice, text
from bot.text.language import Language
from commands.alert_words import clause
from services.model.fleet import Health, Result
from services.model.text import Text

WIDTH, HEIGHT = 1200, 800
Facts = Mapping[str, Any]
STRIPED = "url(#stripes)"
COLOURS = {
    Health.NEEDS_SOMEBODY.value: STRIPED,
    Health.UNDER_WAY.value: "#4878a8",
    Health.WELL.value: "#5aa27a",
    Result.INSTALLED.value: "#5aa27a",
    Result.FAILED.value: STRIPED,
}
"""What is bad is striped, so that nothing hangs on colour."""
THINNEST = 3
"""However little of it is bad, it is seen."""
MOST_CAUSES = 6
CAUSE_CELLS = 62
"""How much of a cause's words there is room for, in columns of half the height of a character."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a chart stands: its bars between top and bottom."""

    left: int
    right: int
    top: int
    bottom: int


_ENDS = _Frame(86, 1160, 190, 420)
_PAST = _Frame(86, 560, 560, 720)
_CAUSES = _Frame(640, 1160, 545, 750)


def draw(facts: Facts, language: Language) -> str:
    """Return the picture as an SVG document; ``facts`` as `commands.report.to_json` returns them."""
    said = _Said(language)
    drawn = [
        *_head(facts, said),
        *_ends(facts, said),
        *_past(facts, said),
        *_causes(facts, said),
    ]
    return document(WIDTH, HEIGHT, FAMILY, drawn)


@dataclass(frozen=True, slots=True)
class _Said:
    language: Language

    def __call__(self, sentence: Text) -> str:
        return self.language.plain(sentence)

    def number(self, count: int) -> str:
        return self.language.number(count, ",")

    def day(self, moment: str) -> str:
        return str(format_skeleton("MMMd", datetime.fromisoformat(moment), locale=self.language.locale))


def _head(facts: Facts, said: _Said) -> Iterator[str]:
    yield text(40, 56, said(words.TITLE), Label(size=28))
    as_of = words.as_of(datetime.fromisoformat(facts["at"]))
    yield text(40, 88, said(as_of), Label(size=15, colour=GREY))


def _ends(facts: Facts, said: _Said) -> Iterator[str]:
    yield text(40, 140, said(words.ENDS), Label(size=19))
    stacks = [facts["expired"], *facts["weeks"], facts["later"]]
    legend = [
        (_counted(name, health.value, stacks, said), COLOURS[health.value])
        for health, name in words.HEALTH.items()
    ]
    yield from _legend(1160, 140, legend)
    names = [said(words.EXPIRED), *(said.day(week["begins"]) for week in facts["weeks"]), said(words.LATER)]
    yield from _columns(_ENDS, stacks, names, [health.value for health in Health], said)


def _past(facts: Facts, said: _Said) -> Iterator[str]:
    yield text(40, 500, said(words.RESULTS), Label(size=19))
    weeks = facts["past"]
    legend = [
        (_counted(name, result.value, weeks, said), COLOURS[result.value])
        for result, name in words.RESULT.items()
    ]
    yield from _legend(560, 528, legend)
    names = [said.day(week["begins"]) if number % 3 == 0 else "" for number, week in enumerate(weeks)]
    order = [Result.FAILED.value, Result.INSTALLED.value]
    yield from _columns(_PAST, weeks, names, order, said, totals=False)


def _counted(name: Text, part: str, stacks: Sequence[Mapping[str, Any]], said: _Said) -> str:
    """Return a name of the legend with how many there are."""
    return said(words.counted(name, sum(int(stack[part]) for stack in stacks)))


def _legend(right: int, y: int, items: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Draw names with their colours, ending at ``right``."""
    x = float(right)
    for name, colour in reversed(items):
        x -= cell_len(name) * 7.6
        yield text(x, y, name, Label(size=14))
        x -= 22
        yield bar(x, y - 12, 14, 14, colour)
        x -= 18


def _columns(
    frame: _Frame,
    stacks: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    order: Sequence[str],
    said: _Said,
    *,
    totals: bool = True,
) -> Iterator[str]:
    """Draw a column for each stack, its parts in ``order`` from the ground up."""
    sums = [sum(int(stack[part]) for part in order) for stack in stacks]
    top, steps = nice(max(sums))
    height = frame.bottom - frame.top
    for number in range(steps + 1):
        value = top * number // steps
        y = frame.bottom - height * number / steps
        yield line(frame.left, y, frame.right, y)
        yield text(frame.left - 8, y + 5, said.number(value), Label(size=13, colour=GREY, anchor="end"))
    step = (frame.right - frame.left) / len(stacks)
    for place, (stack, name, total) in enumerate(zip(stacks, names, sums, strict=True)):
        x, y = frame.left + step * (place + 0.16), float(frame.bottom)
        for part in order:
            if not int(stack[part]):
                continue
            tall = max(height * int(stack[part]) / top, THINNEST if COLOURS[part] == STRIPED else 0)
            y -= tall
            yield bar(x, y, step * 0.68, tall, COLOURS[part])
        middle = frame.left + step * (place + 0.5)
        if totals and total:
            yield text(middle, y - 6, said.number(total), Label(size=13, anchor="middle"))
        yield text(middle, frame.bottom + 22, name, Label(size=13, colour=GREY, anchor="middle"))


def _causes(facts: Facts, said: _Said) -> Iterator[str]:
    yield text(600, 500, said(words.BLOCKERS), Label(size=19))
    rows = _listed(facts["blockers"], said)
    if not rows:
        yield text(600, 548, said(words.NO_BLOCKERS), Label(size=15, colour=GREY))
        return
    most = max(count for _, count in rows)
    step = (_CAUSES.bottom - _CAUSES.top) / (MOST_CAUSES + 1)
    for place, (name, count) in enumerate(rows):
        y = _CAUSES.top + step * place
        yield text(600, y, set_cell_size(name, CAUSE_CELLS).rstrip(), Label(size=14, colour=INK))
        yield bar(600, y + 5, max(2, 480 * count / most), 7, COLOURS[Result.FAILED.value])
        yield text(1160, y + 12, said.number(count), Label(size=14, anchor="end"))


def _listed(blockers: Sequence[Mapping[str, Any]], said: _Said) -> list[tuple[str, int]]:
    """Return the causes that are shown, the others together."""
    rows = [(said(clause(str(one["code"]))), int(one["certificates"])) for one in blockers]
    others = sum(count for _, count in rows[MOST_CAUSES:])
    return rows[:MOST_CAUSES] + ([(said(words.OTHERS), others)] if others else [])
