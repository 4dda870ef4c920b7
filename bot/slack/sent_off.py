"""The acknowledgement of a modal that was sent off: what is wrong with its fields, else that certdesk works on it. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.slack import payloads
from bot.slack.escape import clip
from bot.slack.reader import Reader
from bot.slack.render_views import modal
from bot.text.language import ENGLISH, Language
from commands import sheets

MAX_ERROR = 300
"""Characters of a sentence below a field. Slack names no limit; this is about four lines of a modal."""


def taken_in(body: Mapping[str, Any], command: str = "/ssl", language: Language = ENGLISH) -> dict[str, Any]:
    """Return the arguments of Bolt's ``ack`` for Slack's view_submission: ``response_action``, and ``errors`` or ``view``.

    What needs no question to anybody is told at the fields, and nothing is to be written down then. Else the modal stays
    open, under the handle by which what comes of it finds it (`commands.screens.handle`). Raises NotOursError if it is no
    sheet of ours.
    """
    filled = payloads.submitted(body)
    reader = Reader(command, language)
    faults = sheets.faults(filled.text, filled.form)
    if faults:
        errors = {field: clip(reader.plain(text), MAX_ERROR) for field, text in faults.items()}
        return {"response_action": "errors", "errors": errors}
    return {"response_action": "update", "view": modal(sheets.WAITING, command, language, handle=filled.once)}
