"""The catalogues are whole and right: every sentence is translated, with the same gaps, and fits where it is shown."""

import pytest

from bot.text import check
from bot.text.catalogue import FOLDER, codes
from bot.text.extract import extract

SOURCES = extract(FOLDER.parents[1])
LINES = {code: check.catalogue(code, SOURCES) for code in codes()}
MISSING = "is not translated"


@pytest.mark.parametrize("code", codes())
def test_what_is_translated_is_right(code: str) -> None:
    """The same gaps, nothing fuzzy or left over, the plural rule of the language, and no longer than its place."""
    assert [line for line in LINES[code] if not line.endswith(MISSING)] == []


@pytest.mark.parametrize("code", codes())
def test_every_sentence_is_translated(code: str) -> None:
    assert [line for line in LINES[code] if line.endswith(MISSING)] == []
