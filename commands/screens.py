"""Where sheets and pages are shown: what the performing of requests needs of whoever can show them."""

from collections.abc import Mapping
from typing import Protocol

from commands.reply import Page, Reply, Sheet
from services.ports import Request


class Screens(Protocol):
    """Shows modals and Home tabs. Safe to use from many threads; nothing is kept for later where it cannot be shown."""

    def sheet(self, request: Request, sheet: Sheet) -> bool:
        """Show ``sheet`` in the modal in which the request was made, or in a new one that its trigger opens.

        False if there is no modal to be had (any more): its trigger has run out, or the person has closed it.
        """
        ...

    def page(self, request: Request, page: Page) -> bool:
        """Show ``page`` as the Home tab of who asked. False if Slack did not take it."""
        ...

    def unfurl(self, request: Request, shown: Mapping[str, Reply]) -> bool:
        """Show below the message in which links were shared what they lead to (link -> what). False if Slack did not take it."""
        ...


def handle(request: Request) -> str:
    """Return the name by which the modal is known that ``request`` opens, changes, or sends off.

    A modal that is sent off gets a new one with the acknowledgement: whoever knows it finds the modal only once Slack
    has taken the acknowledgement in.
    """
    return request.dedupe if request.kind == "submission" else request.id


def guarded(request: Request) -> bool:
    """Tell whether a click loses against a change of its modal that came in between.

    Not in a page of names: it changes by itself while they are checked, and what a click there shows does not depend on
    how far that is.
    """
    return not request.text.startswith("sheet.")


class Blind:
    """Shows nothing: where there is neither a modal nor a Home tab, a message takes their place."""

    def sheet(self, _request: Request, _sheet: Sheet) -> bool:
        """Show nothing."""
        return False

    def page(self, _request: Request, _page: Page) -> bool:
        """Show nothing."""
        return False

    def unfurl(self, _request: Request, _shown: Mapping[str, Reply]) -> bool:
        """Show nothing."""
        return False


BLIND = Blind()
