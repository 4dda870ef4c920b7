"""The blocks that hold nothing but text, each within its limit."""

from collections.abc import Iterable, Iterator
from typing import Any

from bot.slack.escape import FENCE, fit, preformatted, size
from bot.slack.limits import MAX_SECTION

Block = dict[str, Any]

MAX_CODE_LINE = 500


def section(marked: str) -> Iterator[Block]:
    """Yield the mrkdwn as a section, cut to what one holds; nothing of nothing."""
    if marked.strip():
        yield {"type": "section", "text": mrkdwn_text(fit(marked, MAX_SECTION))}


def sections(lines: Iterable[str]) -> Iterator[Block]:
    """Yield as few sections as hold the lines of mrkdwn."""
    for held in _held(lines, MAX_SECTION):
        yield from section(held)


def fenced(lines: Iterable[str]) -> Iterator[Block]:
    """Yield as few sections as hold the lines, as they are, between fences; what is to be copied is not folded away."""
    shown = (fit(preformatted(line), MAX_CODE_LINE) for line in lines)
    # without fences there is a span for each line (`bot.slack.plainer`)
    for held in _held(shown, MAX_SECTION - 2 * len(f"{FENCE}\n"), beside=len("``")):
        if held.strip():
            yield from ({**one, "expand": True} for one in section(f"{FENCE}\n{held}\n{FENCE}"))


def _held(lines: Iterable[str], room: int, beside: int = 0) -> Iterator[str]:
    """Yield the lines in as few texts as hold them in ``room``, with ``beside`` units for each that may come to it."""
    held: list[str] = []
    for line in lines:
        if held and size("\n".join([*held, line])) + beside * (len(held) + 1) > room:
            yield "\n".join(held)
            held = []
        held.append(line)
    yield "\n".join(held)


def context(marked: str) -> Iterator[Block]:
    """Yield the mrkdwn as a context block, small and grey, cut to what one holds; nothing of nothing."""
    if marked.strip():
        yield {"type": "context", "elements": [mrkdwn_text(fit(marked, MAX_SECTION))]}


def mrkdwn_text(marked: str) -> Block:
    """Return a text object in which Slack makes no links of its own."""
    return {"type": "mrkdwn", "text": marked, "verbatim": True}


def plain_text(text: str) -> Block:
    """Return a text object without mark-up, in which :words: stay words."""
    return {"type": "plain_text", "text": text, "emoji": False}
