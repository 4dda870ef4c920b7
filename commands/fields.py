"""What a modal is filled in with: fields in which something is ticked, typed or handed in."""

from dataclasses import dataclass

from services.model.text import NOTHING, Text


@dataclass(frozen=True, slots=True)
class Choice:
    """A field in which options are ticked: (value, label) pairs."""

    id: str
    label: Text
    options: tuple[tuple[str, Text], ...]
    chosen: tuple[str, ...] = ()
    """Values that are ticked already."""
    several: bool = True
    """False: exactly one is chosen."""
    hint: Text = NOTHING
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A field in which something is typed."""

    id: str
    label: Text
    initial: str = ""
    lines: bool = False
    """Whether it takes several lines."""
    hint: Text = NOTHING
    optional: bool = False
    enters: bool = False
    """Whether Enter sends it off, as a click with the action `id`."""


@dataclass(frozen=True, slots=True)
class Files:
    """A field of a modal into which one file is put; it may be left empty."""

    id: str
    label: Text
    kinds: tuple[str, ...]
    """Ends of file names that are offered, without the dot; what is handed in has to be judged all the same."""
    hint: Text = NOTHING


Field = Choice | Entry | Files
