"""From sentences and values to text that is safe in a terminal: no escape sequences, moments in the local zone."""

import re
import unicodedata
from datetime import datetime, tzinfo

from bot.text.language import ENGLISH, Language, filled
from services.model.clock import aware
from services.model.text import Text, Value

TYPED = "/ssl "
"""A value that begins so is a command as it is typed in Slack; in the terminal it has another beginning."""
_TYPED_HERE = "certdesk ssl "
_IN_TEXT = re.compile(r"(?<!\S)/ssl (?=\w)")


def clean(text: str) -> str:
    """Return ``text`` on one line, without anything that could steer a terminal or turn the direction of reading."""
    return "".join(" " if char.isspace() else char for char in text if char.isspace() or _harmless(char))


def clean_lines(text: str) -> str:
    """Return ``text`` cleaned line by line."""
    return "\n".join(clean(line) for line in text.splitlines())


def _harmless(char: str) -> bool:
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def sentence(text: Text, zone: tzinfo | None = None, language: Language = ENGLISH) -> str:
    """Return the sentence with its gaps filled, cleaned; moments read as in ``zone`` (None: the machine's own)."""
    values = {
        key: value if isinstance(value, int) else shown(value, zone, language) for key, value in text.values
    }
    return clean(filled(language, text, values))


def shown(value: Value, zone: tzinfo | None = None, language: Language = ENGLISH) -> str:
    """Return one gap's value as text for a terminal."""
    if isinstance(value, datetime):
        return _moment(value, zone)
    if isinstance(value, Text):
        return sentence(value, zone, language)
    if isinstance(value, tuple):
        return (
            clean(language.between().join(shown(item, zone, language) for item in value)) or language.none()
        )
    text = clean(str(value))
    return _TYPED_HERE + text.removeprefix(TYPED) if text.startswith(TYPED) else text


def typed_here(text: str) -> str:
    """Return a plain sentence with the commands in it as they are typed in a terminal."""
    return _IN_TEXT.sub(_TYPED_HERE, text)


def _moment(value: datetime, zone: tzinfo | None) -> str:
    """Return the moment with its offset from UTC, such as 2027-02-10 23:03 UTC+09:00."""
    local = aware(value).astimezone(zone)
    offset = local.strftime("%z")
    return local.strftime("%Y-%m-%d %H:%M UTC") + ("" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}")
