"""What the database and its in-memory twin refuse in the same words."""

from services.model.errors import NotFoundError
from services.model.text import say

READING = "a transaction for reading cannot write"


def no_parent() -> NotFoundError:
    """Return the error for a row that refers to one that is not there."""
    return NotFoundError(
        say("What the change refers to is not in the database. Add the store or the certificate first.")
    )
