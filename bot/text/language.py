"""A language: how sentences, numbers and lists are put for a reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from babel import Locale
from babel.numbers import format_decimal

from bot.text.catalogue import chooser, codes, key, locale_of, name_of, read
from services.model.text import Text, Value, plain_value, say

_NONE = say("none")
_BETWEEN = say(", ")
"""What stands between the names of a list."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language. Sentences that it has no translation for are shown in English."""

    code: str
    name: str
    """What the language calls itself."""
    locale: Locale
    messages: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    """`bot.text.catalogue.key` of a template -> its translation, or one for each plural form."""
    forms: Mapping[int, int] = field(default_factory=dict, repr=False, compare=False)
    """Number -> place of its plural form."""

    def template(self, text: Text) -> str:
        """Return the template of ``text`` in this language, in the plural form for its count."""
        said = self.messages.get(key(text.template, text.many))
        if said is None:
            return text.many if text.many and text.count != 1 else text.template
        return said[self.forms[text.count]] if text.many and len(said) > 1 else said[0]

    def number(self, value: int, spec: str = "") -> str:
        """Return a number; with the format ``,`` its thousands are parted as in this language."""
        return format_decimal(value, locale=self.locale) if spec == "," else format(value, spec)

    def none(self) -> str:
        """Return what stands for a list without anything in it."""
        return self.template(_NONE)

    def between(self) -> str:
        """Return what stands between two names of a list."""
        return self.template(_BETWEEN)

    def plain(self, text: Text) -> str:
        """Return the sentence without mark-up; moments read 2027-02-10 14:03 UTC in every language."""
        values = {gap: self._shown(value) for gap, value in text.values}
        return filled(self, text, values)

    def _shown(self, value: Value) -> str | int:
        if isinstance(value, Text):
            return self.plain(value)
        if isinstance(value, tuple):
            return self.between().join(str(self._shown(item)) for item in value) if value else self.none()
        return plain_value(value) if isinstance(value, datetime) else value


def filled(language: Language, text: Text, values: Mapping[str, str | int]) -> str:
    """Return the sentence with its gaps filled by these values, as they are, but for the format of numbers."""
    numbers = _Numbers(language, values)
    return language.template(text).format_map(numbers)


class _Numbers(dict[str, object]):
    """The values of the gaps, which format themselves in the language."""

    def __init__(self, language: Language, values: Mapping[str, str | int]) -> None:
        super().__init__(
            {gap: _Number(language, v) if isinstance(v, int) else v for gap, v in values.items()}
        )


@dataclass(frozen=True, slots=True)
class _Number:
    language: Language
    value: int

    def __format__(self, spec: str) -> str:
        return self.language.number(self.value, spec)


ENGLISH = Language("en", "English", Locale("en"))


@cache
def language(code: str) -> Language:
    """Return the language of a code or locale such as ``ko``, ``ko-KR`` or ``pt_BR``; English where there is no catalogue."""
    known = codes()
    whole = code.replace("-", "_")
    for wanted in (whole, whole.partition("_")[0].lower()):
        if wanted in known:
            return _load(wanted)
    return ENGLISH


def languages() -> tuple[Language, ...]:
    """Return every language that there is, English first."""
    return (ENGLISH, *(language(code) for code in codes()))


def _load(code: str) -> Language:
    found = read(code)
    locale = locale_of(code) or ENGLISH.locale
    return Language(code, name_of(code), locale, found.messages, chooser(found))
