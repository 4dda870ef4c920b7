"""The words in the report of a scan."""

from commands import scan_view
from services.model.text import Text, say, say_n

TITLE = say("Scan of a store's pages")
TABLE = say("All that the scan found, as a table")
PATCH = say("Changes to the theme's files")
KINDS, ADVICE = scan_view.KINDS, scan_view.ADVICE
COLUMNS = (say("What"), say("What comes of it"), say("What to do"), say("Where"))
MITIGATED = say("The page's own policy has browsers load it over https, or not at all.")
PAGES = say("Pages that were looked at")
SKIPPED = say("Addresses that were not looked at")


def as_of(moment: Text) -> Text:
    """Return the line below the title."""
    return say("As of {moment}.", moment=moment)


def more(count: int) -> Text:
    """Return the line below the places of one thing, of which so many are not named."""
    return say_n("and {count} more place", "and {count} more places", count=count)
