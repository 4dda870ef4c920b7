"""Files that people hand in: what a command with ``--file`` needs of whoever can fetch them."""

from dataclasses import dataclass
from typing import Protocol

from services.model.errors import CertdeskError
from services.model.text import say

KINDS = frozenset({"csv", "tsv", "txt"})
"""Ends of file names that a list may have; Slack calls ``txt`` ``text`` as well."""
TYPES = KINDS | {"text"}
"""Slack's names for the types of files that can be a list."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, whole."""

    name: str
    content: bytes


class Uploads(Protocol):
    """Fetches files. Safe to use from many threads."""

    def latest(self, channel: str, person: str) -> Upload | None:
        """Return the newest list that ``person`` (TEAM/USER) has put into ``channel`` within the last hour; None without one.

        Raises CertdeskError, with what to do, if it cannot be fetched.
        """
        ...

    def handed_in(self, channel: str, file: str, person: str) -> Upload:
        """Return the file with this id, which ``person`` (TEAM/USER) has put into a modal; ``channel`` names the workspace.

        Raises CertdeskError, with what to do, for one that is not theirs, is no list, is kept elsewhere than in Slack, or
        cannot be fetched.
        """
        ...


class Nowhere:
    """Has no files: where there is no Slack to ask."""

    def latest(self, _channel: str, _person: str) -> Upload | None:
        """Return None."""
        return None

    def handed_in(self, _channel: str, _file: str, _person: str) -> Upload:
        """Raise CertdeskError."""
        raise CertdeskError(say("There is no Slack here that could be asked for the file. Nothing was done."))


NOWHERE = Nowhere()
