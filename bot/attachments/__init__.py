"""Files that go with answers, made where they are shown: one table of kind -> how it is made. A new kind is one line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.attachments import report_csv, report_svg, report_words, scan_csv, scan_html, scan_words
from bot.attachments.raster import png
from bot.text.language import Language
from commands.attachment import Attachment
from services.model.text import Text

MOST_ALT = 1000
"""Characters of an alternative text that Slack takes (files.getUploadURLExternal: alt_txt_too_large)."""
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is handed to a person."""

    name: str
    content: bytes
    title: str
    alt: str
    """What a picture shows, for those who do not see it; empty for what is no picture."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of file is made."""

    content: Callable[[Facts, Language], bytes]
    title: Text
    alt: Callable[[Facts], Text] | None = None


KINDS: Mapping[str, Kind] = {
    "report.png": Kind(
        lambda facts, language: png(report_svg.draw(facts, language)), report_words.TITLE, report_words.alt
    ),
    "report.svg": Kind(
        lambda facts, language: report_svg.draw(facts, language).encode(),
        report_words.TITLE,
        report_words.alt,
    ),
    "report.csv": Kind(lambda facts, _language: report_csv.table(facts), report_words.FIGURES),
    "scan.html": Kind(scan_html.page, scan_words.TITLE),
    "scan.csv": Kind(lambda facts, _language: scan_csv.table(facts), scan_words.TABLE),
    "scan.patch": Kind(lambda facts, _language: str(facts["patch"]).encode(), scan_words.PATCH),
}
"""Every kind of attachment; its name is that of the file."""


def made(attachment: Attachment, language: Language) -> File:
    """Return the file of an attachment in this language. Raises KeyError for a kind that there is not."""
    kind = KINDS[attachment.kind]
    alt = language.plain(kind.alt(attachment.facts)) if kind.alt is not None else ""
    alt = alt if len(alt) <= MOST_ALT else alt[: MOST_ALT - 1] + "…"
    return File(attachment.kind, kind.content(attachment.facts, language), language.plain(kind.title), alt)
