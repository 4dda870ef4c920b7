"""From a Sheet to a modal and from a Page to the Home tab: pure, within Slack's limits."""

from collections.abc import Iterable
from typing import Any

from bot.slack.escape import clip
from bot.slack.limits import (
    MAX_LABEL,
    MAX_MEMORY,
    MAX_OPTION,
    MAX_OPTION_VALUE,
    MAX_OPTIONS,
    MAX_TICKS,
    MAX_TYPED,
    MAX_VIEW_BLOCKS,
    MAX_VIEW_WORD,
)
from bot.slack.payloads import sheet_id
from bot.slack.reader import Reader
from bot.slack.render import blocks_of, header, title
from bot.slack.render_actions import Actions
from bot.slack.sections import Block
from bot.text.language import ENGLISH, Language
from commands.fields import Choice, Entry, Field, Files
from commands.reply import Divider, Page, Sheet, Title, ViewPart
from services.model.text import Text, say


def modal(
    sheet: Sheet, command: str = "/ssl", language: Language = ENGLISH, handle: str = ""
) -> dict[str, Any]:
    """Return the view that views.open and views.update take; ``handle`` is the name by which it is found again."""
    reader = Reader(command, language)
    heading = [] if sheet.heading is None else [header(sheet.heading.tone, sheet.heading.text, reader)]
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": sheet_id(sheet.name, language.code),
        "title": _word(sheet.title, MAX_VIEW_WORD, reader),
        "close": _word(say("Close"), MAX_VIEW_WORD, reader),
        "blocks": [*heading, *_blocks(sheet.parts, reader)][:MAX_VIEW_BLOCKS],
        "private_metadata": sheet.memory[:MAX_MEMORY],
    }
    if sheet.submit.template:
        view["submit"] = _word(sheet.submit, MAX_VIEW_WORD, reader)
    if handle:
        view["external_id"] = handle
    return view


def home(page: Page, command: str = "/ssl", language: Language = ENGLISH) -> dict[str, Any]:
    """Return the view that views.publish takes."""
    reader = Reader(command, language)
    blocks = _blocks(page.parts, reader)
    return {"type": "home", "blocks": blocks, "private_metadata": page.memory[:MAX_MEMORY]}


def _blocks(parts: Iterable[ViewPart], reader: Reader) -> list[Block]:
    actions = Actions(
        reader
    )  # one for all: a view's buttons know of each other, whatever stands between them
    drawn = [block for part in parts for block in _drawn(part, reader, actions)]
    return drawn[:MAX_VIEW_BLOCKS]


def _drawn(part: ViewPart, reader: Reader, actions: Actions) -> list[Block]:
    match part:
        case Choice():
            return [_choice(part, reader)]
        case Entry():
            return [_entry(part, reader)]
        case Files():
            return [_files(part, reader)]
        case Title(text, tone):
            return [title(text, tone, reader)]
        case Divider():
            return [{"type": "divider"}]
        case _:
            return blocks_of((part,), reader, actions)


def _choice(part: Choice, reader: Reader) -> Block:
    options = [
        _option(value, label, reader) for value, label in part.options if len(value) <= MAX_OPTION_VALUE
    ]
    element: Block = {"action_id": part.id, **_ticks(part, options)}
    return _input(part, element, reader)


def _ticks(part: Choice, options: list[Block]) -> Block:
    """Return tick boxes for a few options, a menu for more."""
    chosen = [option for option in options if option["value"] in part.chosen]
    if len(options) <= MAX_TICKS:
        kind, initial = ("checkboxes", chosen) if part.several else ("radio_buttons", chosen[0:1])
    else:
        kind, initial = ("multi_static_select", chosen) if part.several else ("static_select", chosen[0:1])
    element: Block = {"type": kind, "options": options[:MAX_OPTIONS]}
    if initial:
        element |= {"initial_options": initial} if part.several else {"initial_option": initial[0]}
    return element


def _entry(part: Entry, reader: Reader) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": part.id,
        "multiline": part.lines,
        "max_length": MAX_TYPED,
    }
    if part.initial:
        element["initial_value"] = part.initial[:MAX_TYPED]
    if not part.enters:
        return _input(part, element, reader)
    element["dispatch_action_config"] = {"trigger_actions_on": ["on_enter_pressed"]}
    return {**_input(part, element, reader), "dispatch_action": True}


def _files(part: Files, reader: Reader) -> Block:
    """Return the field for one file (docs: File input element; the app needs files:read)."""
    element: Block = {
        "type": "file_input",
        "action_id": part.id,
        "max_files": 1,
        "filetypes": list(part.kinds),
    }
    return _input(part, element, reader)


def _input(part: Field, element: Block, reader: Reader) -> Block:
    block: Block = {
        "type": "input",
        "block_id": part.id,
        "label": _word(part.label, MAX_LABEL, reader),
        "element": element,
        "optional": isinstance(part, Files) or part.optional,
    }
    if part.hint.template:
        block["hint"] = _word(part.hint, MAX_LABEL, reader)
    return block


def _option(value: str, label: Text, reader: Reader) -> Block:
    return {"text": _word(label, MAX_OPTION, reader), "value": value}


def _word(text: Text, limit: int, reader: Reader) -> Block:
    return {"type": "plain_text", "text": clip(reader.plain(text), limit) or "…", "emoji": False}
