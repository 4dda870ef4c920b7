"""What is wrong with a catalogue, line by line, for translators and tests."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.plurals import get_plural

from bot.text.catalogue import FOLDER, Entry, entries, read, wrong_gaps
from bot.text.extract import Message, Sources
from bot.text.uses import USES


def catalogue(code: str, sources: Sources, folder: Path = FOLDER) -> list[str]:
    """Return a line for everything that is missing or wrong in the catalogue of a language; empty if it is complete."""
    held = {entry.one: entry for entry in entries(code, folder)}
    wanted = {message.one: message for message in sources.messages}
    lines = [*_plural(code, folder)]
    lines += [f"{one!r} is not in the file: run update" for one in wanted if one not in held]
    lines += [f"{one!r} is no sentence any more: run update" for one in held if one not in wanted]
    for one, message in wanted.items():
        if one in held:
            lines += [f"{message.files[0]}: {one!r} {line}" for line in _entry(message, held[one])]
    return [f"{code}.po: {line}" for line in lines]


def _plural(code: str, folder: Path) -> Iterator[str]:
    found, rule = read(code, folder), get_plural(code)
    if (found.forms, found.form) != (rule.num_plurals, rule.plural_expr):
        yield f'the header needs "Plural-Forms: {rule.plural_forms}"'


def _entry(message: Message, entry: Entry) -> Iterator[str]:
    if entry.many != message.many:
        yield "has another plural in the sources: run update"
    elif entry.fuzzy:
        yield "is marked fuzzy"
    elif not all(each.strip() or not message.one.strip() for each in entry.said):
        yield "is not translated"
    else:
        yield from (f"has other gaps as {each!r}" for each in wrong_gaps(entry.one, entry.many, entry.said))
        yield from _long(message, entry)


def _long(message: Message, entry: Entry) -> Iterator[str]:
    for use in (USES[use] for use in message.uses):
        for each in entry.said:
            if (length := len(each.encode("utf-16-le")) // 2) > use.most:
                yield f"is {use.what}, {use.most} characters at most: {each!r} has {length}"
