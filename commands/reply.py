"""What a command answers, as a view that knows nothing of Slack or terminals; bot renders it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from commands.attachment import Attachment
from commands.fields import Field
from services.model.text import NOTHING, Item, Text, Value


class Tone(StrEnum):
    """How the message feels at a glance."""

    INFO = "info"
    PROGRESS = "progress"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Mark(StrEnum):
    """Where one step of a plan stands."""

    DONE = "done"
    NOW = "now"
    NEXT = "next"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or two."""

    text: Text


@dataclass(frozen=True, slots=True)
class Hint:
    """A small line below: what to do next, where to look."""

    text: Text


@dataclass(frozen=True, slots=True)
class Fields:
    """Label and value, in two columns where there is room."""

    pairs: tuple[tuple[Text, Value], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps of the work on ``name`` with their marks: check, CSR, order, challenge, issue, deploy, verified."""

    name: str
    steps: tuple[tuple[Text, Mark], ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: what was found, whose move it is, what to do."""

    code: str
    summary: Text
    remedy: Text
    owner: Text
    blocks: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list: a name, its state in words with a tone, and a detail such as the expiry."""

    name: Item
    """A sentence where what begins the line has to be put in the reader's language, such as a number."""
    tone: Tone
    label: Text
    detail: Text


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of names, worst first."""

    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted text, such as a CSR or DNS records."""

    text: str


@dataclass(frozen=True, slots=True)
class Steps:
    """What somebody has to do, preformatted, to be copied line by line; in the language of who reads it."""

    lines: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """Calls on people: ``groups`` are ids of Slack user groups (S…), who are notified when the message is posted."""

    groups: tuple[str, ...]
    text: Text


@dataclass(frozen=True, slots=True)
class Button:
    """Something to click. ``action`` is a name of `commands.clicks.CLICKS`, ``value`` what it is done to."""

    action: str
    value: str
    """What the click brings back, 150 characters at most: never proof of a right."""
    label: Text
    style: str = ""
    """``primary``, ``danger`` or empty."""
    confirm: Text | None = None
    """What is asked before it is done; None: nothing."""


@dataclass(frozen=True, slots=True)
class Menu:
    """A choice that acts when it is made: (value, label) pairs."""

    action: str
    label: Text
    options: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of things to click; where nothing can be clicked it is left out."""

    items: tuple[Button | Menu, ...]


Part = Paragraph | Hint | Fields | Plan | Problem | Rows | Code | Steps | Mention | Buttons | Attachment


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. ``private``: for the asker's eyes alone."""

    tone: Tone
    title: Text
    parts: tuple[Part, ...] = ()
    private: bool = False


@dataclass(frozen=True, slots=True)
class Title:
    """A title within a page."""

    text: Text
    tone: Tone | None = None


@dataclass(frozen=True, slots=True)
class Divider:
    """A line between two things in a page."""


SheetPart = Part | Field
ViewPart = SheetPart | Title | Divider
"""What a page is made of; the last two stand in pages alone."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The line above all others of a sheet, with its tone."""

    tone: Tone
    text: Text


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a modal. What it carries and what comes back from it proves no right."""

    name: str
    """What is asked when it is sent off: a key of `commands.sheets.SHEETS`."""
    title: Text
    """24 characters at most, in every language."""
    parts: tuple[SheetPart, ...]
    submit: Text = NOTHING
    """What the button says that sends it off; nothing: it is only read."""
    memory: str = ""
    """What comes back with it, 3000 characters at most."""
    heading: Heading | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """A sheet that goes on changing while it is open; it is made anew from ``body`` and the database at each change."""

    kind: str
    """A key of `commands.live.KINDS`."""
    body: Mapping[str, Any]
    """JSON-ready; it stays in the database and is shown to nobody, so what it says can be trusted."""


@dataclass(frozen=True, slots=True)
class Page:
    """A person's Home tab."""

    parts: tuple[ViewPart, ...]
    memory: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """What a waiting message shows now; ``final``: nothing will change it any more, so that following can end."""

    reply: Reply
    final: bool
    quiet: bool = False
    """Whether nothing of it is shown: there is nothing to say, or it stands there already."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A name that a command did not take, and why."""

    name: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Deed:
    """What the audit trail keeps of what was done, or refused (`services.model.audit.Entry`)."""

    action: str
    """The sub-command, or the click's action."""
    subject: str
    result: str
    """``done``, ``refused`` (no right to it) or ``failed``."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has done."""

    reply: Reply
    exit_code: int = 0
    """For the terminal: 0 done, 1 failed or blocked, 2 usage."""
    data: Mapping[str, Any] | None = None
    """The machine contract's object for --json."""
    follows: tuple[str, ...] = ()
    """Ids of certificates whose progress the answer goes on to show; the message is then composed anew at each change."""
    verb: str = ""
    """For a followed answer: ``add`` or ``renew``."""
    names: tuple[str, ...] = ()
    """For a followed answer: the names asked for, to be shown first."""
    refused: tuple[Refused, ...] = ()
    """For a followed answer: the names that were not taken."""
    denied: bool = False
    """Whether the caller lacked the right to it."""
    subject: str = ""
    """For the audit trail: what it was done to; empty: the words as they were given."""
    deed: Deed | None = None
    """What the audit trail keeps of it; None: nothing was changed or refused."""
    sheet: Sheet | None = None
    """Shown in the modal in which it was asked, or in a new one; where no modal can be opened (any more), `reply` is."""
    live: Live | None = None
    """The same for a sheet that goes on changing, in place of `sheet`; `follows` are the certificates that change it."""
    proposal: str = ""
    """Id of the proposal that the answer is the question of: it is then composed anew until that is decided."""
    page: Page | None = None
    """What the asker's Home tab shows from now on, in place of `reply`."""
    mine: bool = False
    """Whether a merchant reads it, whose move is then their own."""
    staff_only: bool = False
    """Whether it says what only the platform's own people may know, whichever store it is about."""
    unfurls: Mapping[str, "Outcome"] = field(default_factory=dict)
    """What links lead to that were shared in a message: link -> the answer of the command of the same meaning."""


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of a request."""

    outcome: Outcome | None
    """The answer; None if the message that was clicked shows what was done."""
    deed: Deed | None = None
    """What the audit trail keeps of it; None: nothing."""
