"""For whom a message is drawn."""

from dataclasses import dataclass

from bot.slack import escape
from bot.text.language import ENGLISH, Language
from services.model.text import Text, Value


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: in which language, and what the slash command is called there."""

    command: str = "/ssl"
    language: Language = ENGLISH

    def mrkdwn(self, text: Text) -> str:
        """Return the sentence as mrkdwn (`bot.slack.escape`)."""
        return escape.mrkdwn(text, self.language)

    def value(self, value: Value) -> str:
        """Return one value as mrkdwn."""
        return escape.value_mrkdwn(value, self.language)

    def plain(self, text: Text) -> str:
        """Return the sentence for a plain_text object."""
        return escape.plain(text, self.language)
