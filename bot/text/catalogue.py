"""Reads and writes the catalogues: gettext's .po files, one per language, beside this module."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from gettext import c2py
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from bot.text.extract import Message
from bot.text.uses import USES
from services.model.text import COUNT

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "certdesk.pot"
_HEADER = """\
# certdesk's sentences{of}.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
{more}
"""


@dataclass(frozen=True, slots=True)
class Read:
    """A catalogue as it was read."""

    code: str
    """The file's name: ``ko``, ``pt_BR``."""
    messages: Mapping[str, tuple[str, ...]]
    """`key` of a template -> its translation, or one for each plural form; what is not translated is left out."""
    forms: int
    form: str
    """gettext's rule for the plural: from ``n`` to the place of the form."""


def codes(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the languages that have a catalogue, sorted; English needs none."""
    return tuple(sorted(path.stem for path in folder.glob("*.po")))


def locale_of(code: str) -> Locale | None:
    """Return what Unicode's CLDR knows of a language; None for a code that it does not know."""
    try:
        return Locale.parse(code)
    except (UnknownLocaleError, ValueError):
        return None


def name_of(code: str) -> str:
    """Return what a language calls itself, such as 한국어; its code where that is not known."""
    locale = locale_of(code)
    return (locale.get_display_name() if locale else None) or code


def read(code: str, folder: Path = FOLDER) -> Read:
    """Return the catalogue of a language. What is fuzzy, or has other gaps than its template, counts as not translated.

    So a slip in a file costs one sentence its translation, and no message.
    """
    catalogue = _parsed(folder / f"{code}.po")
    messages = {key(entry.one, entry.many): entry.said for entry in _entries_of(catalogue) if entry.usable}
    return Read(code, messages, catalogue.num_plurals, catalogue.plural_expr)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a catalogue; ``said``: a translation for each plural form, empty where there is none."""

    one: str
    many: str
    said: tuple[str, ...]
    fuzzy: bool
    comments: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether the translation can be shown."""
        return not self.fuzzy and all(self.said) and not wrong_gaps(self.one, self.many, self.said)


def entries(code: str, folder: Path = FOLDER) -> tuple[Entry, ...]:
    """Return the entries of a language's catalogue as they stand in the file."""
    return tuple(_entries_of(_parsed(folder / f"{code}.po")))


def _entries_of(catalogue: Catalog) -> Iterator[Entry]:
    for message in catalogue:
        one, *many = _tuple(message.id)
        if one:  # the empty one is the header
            said = _tuple(message.string)
            yield Entry(one, "".join(many), said, bool(message.fuzzy), tuple(message.user_comments))


def key(one: str, many: str) -> str:
    """Return by what a translation is looked up.

    Without a plural a sentence is not found under one that has it: a row that was written before has no number for it.
    """
    return f"{one}\0{many}" if many else one


def chooser(read: Read) -> Mapping[int, int]:
    """Return what gives the place of the plural form for a number."""
    return _Chooser(read.form)


class _Chooser(dict[int, int]):
    """Numbers and the places of their forms, remembered."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self._rule = c2py(rule)

    def __missing__(self, count: int) -> int:
        return int(self._rule(abs(count)))


def gaps(template: str) -> frozenset[str]:
    """Return the names of a template's gaps, with their format. Raises ValueError for one that cannot be read."""
    return frozenset(f"{gap}:{spec}" for _, gap, spec, _ in Formatter().parse(template) if gap is not None)


def wrong_gaps(one: str, many: str, said: Iterable[str]) -> list[str]:
    """Return the translations that have other gaps than their template; in a plural the number itself may be left out."""
    wanted = gaps(many or one)
    free = frozenset(gap for gap in wanted if many and gap.partition(":")[0] == COUNT)
    return [each for each in said if not _agrees(each, wanted, free)]


def _agrees(said: str, wanted: frozenset[str], free: frozenset[str]) -> bool:
    try:
        return wanted - free <= gaps(said) <= wanted
    except ValueError:
        return False


# --- writing -------------------------------------------------------------------------------------------------------


def template(messages: Iterable[Message]) -> str:
    """Return certdesk.pot: every sentence, none translated."""
    return _HEADER.format(of="", more="") + _body(messages, {}, None)


def updated(path: Path, messages: Iterable[Message]) -> str:
    """Return a catalogue with exactly these sentences; what was translated stays, what is no sentence any more goes."""
    plural = get_plural(path.stem)  # the rule of Unicode's CLDR
    more = (("Language", path.stem), ("Plural-Forms", plural.plural_forms))
    lines = "".join(f'"{key}: {value}\\n"\n' for key, value in more)
    held: dict[str, Entry] = {}
    for side in _sides(path.read_text(encoding="utf-8")):
        for entry in _entries_of(_read(side, path.stem)):
            if entry.one not in held or not held[entry.one].usable:
                held[entry.one] = entry
    return _HEADER.format(of=f" in {name_of(path.stem)}", more=lines) + _body(messages, held, path.stem)


def _body(messages: Iterable[Message], held: Mapping[str, Entry], code: str | None) -> str:
    catalogue = Catalog(locale=code, charset="utf-8", fuzzy=False)
    for message in messages:
        old = held.get(message.one)
        added = catalogue.add(
            (message.one, message.many) if message.many else message.one,
            string=_string(message, held, catalogue.num_plurals),
            locations=[(file, 0) for file in message.files],
            auto_comments=list(_notes(message)),
            user_comments=old.comments if old else (),
        )
        added.flags = {"fuzzy"} if old and old.fuzzy else set()
    written = BytesIO()
    write_po(written, catalogue, width=0, omit_header=True, include_lineno=False)
    return written.getvalue().decode("utf-8")


def _string(message: Message, held: Mapping[str, Entry], forms: int) -> str | tuple[str, ...]:
    """Return the translation as the message needs it; empty where it has to be translated anew.

    A sentence that has got a plural keeps its translation in a language that has one form for all numbers; so does one
    whose numbers have got a format.
    """
    old = held.get(message.one)
    if old is not None and old.many == message.many:
        return old.said if message.many else old.said[0]
    formless = {_formless(one): entry for one, entry in held.items() if not entry.many and entry.usable}
    former = formless.get(_formless(message.many or message.one)) or formless.get(_formless(message.one))
    if former is None or (message.many and forms > 1):
        return ("",) * forms if message.many else ""
    said = former.said[0]
    for gap, spec in _GAP.findall(message.many or message.one):
        said = said.replace(f"{{{gap}}}", f"{{{gap}{spec}}}")
    return (said,) if message.many else said


_GAP = re.compile(r"\{(\w+)(:[^{}]+)?\}")


def _formless(template: str) -> str:
    return _GAP.sub(r"{\1}", template)


def _notes(message: Message) -> Iterator[str]:
    for use in message.uses:
        yield f"{USES[use].what}: at most {USES[use].most} characters"


def _parsed(path: Path) -> Catalog:
    return _read(path.read_text(encoding="utf-8"), path.stem)


def _read(text: str, code: str) -> Catalog:
    return read_po(BytesIO(text.encode("utf-8")), locale=code, abort_invalid=True)


_CONFLICT = re.compile(
    r"^<<<<<<< .*?\n(.*?)(?:^\|\|\|\|\|\|\| .*?\n.*?)?^=======\n(.*?)^>>>>>>> .*?\n", re.DOTALL | re.MULTILINE
)


def _sides(text: str) -> tuple[str, ...]:
    """Return a file as it is, or as both sides of a merge have it that stopped at conflicts, ours first."""
    if not _CONFLICT.search(text):
        return (text,)
    return tuple(_CONFLICT.sub(rf"\{side}", text) for side in (1, 2))


def _tuple(said: object) -> tuple[str, ...]:
    if isinstance(said, str):
        return (said,)
    return tuple(str(each or "") for each in said) if isinstance(said, list | tuple) else ("",)
