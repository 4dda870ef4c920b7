"""A file that goes with an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with the answer. It is made where it is shown, in the language of who reads it."""

    kind: str
    """A key of `bot.attachments.KINDS`."""
    facts: Mapping[str, Any]
    """What is in it, JSON-ready."""
