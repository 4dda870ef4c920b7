"""Files that people hand in: what a command with ``--file`` needs of whoever can fetch them."""

from dataclasses import dataclass
from typing import Protocol


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


class Nowhere:
    """Has no files: where there is no Slack to ask."""

    def latest(self, _channel: str, _person: str) -> Upload | None:
        """Return None."""
        return None


NOWHERE = Nowhere()
