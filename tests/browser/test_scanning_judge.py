"""Chromium is the judge of what is mixed content: what it says of the fixture site is what the scan says, class by class."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bot.demo.parts import chromium
from tests import planted
from tests.browser import random_pages, scanned_site
from tests.browser.scanned_site import Told

JUDGED = frozenset({"blockable", "upgradeable", "form"})


@pytest.fixture(scope="module")
def told(
    chromium_browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, set[Told]]]:
    """Give what Chromium says of each page, with scripts and without."""
    with scanned_site.served(tmp_path_factory.mktemp("tls")) as port:
        rules = f"--host-resolver-rules=MAP * 127.0.0.1:{port}"
        with chromium.beside(chromium_browser, [rules]) as browser:
            yield {name: _both(browser, name) for name in planted.PAGES}


def _both(browser: Browser, name: str) -> set[Told]:
    return scanned_site.told(browser, name) | scanned_site.told(browser, name, scripts=False)


def _classes(said: set[Told]) -> dict[int, set[str]]:
    """Return the classes of each planted URL: of an image set that is preloaded Chromium reports two."""
    classes: dict[int, set[str]] = {}
    for one in said:
        if label := planted.label(one.url):
            classes.setdefault(label[0], set()).add(one.kind)
    return classes


def test_chromium_reports_nothing_that_the_scan_does_not(told: dict[str, set[Told]]) -> None:
    found = {planted.label(one.url) for one in planted.found()}
    said = {one for one in set().union(*told.values()) if one.kind != "allowed"}
    classes = _classes(said)
    assert len(said) >= 60
    assert not [one for one in said if planted.label(one.url) not in found]
    wrong = [
        label
        for label in found
        if label and label[0] in classes and label[1] not in classes[label[0]] | {"likely"}
    ]
    assert not wrong


def test_what_chromium_loads_all_the_same_is_on_this_machine_or_upgraded_nowhere(
    told: dict[str, set[Told]],
) -> None:
    allowed = {one.url for one in set().union(*told.values()) if one.kind == "allowed"}
    blocked = {one.url for one in set().union(*told.values()) if one.kind == "blockable"}
    assert {url for url in allowed - blocked if planted.label(url)} == set()


def test_chromium_agrees_on_the_class_of_everything_that_it_asks_for(told: dict[str, set[Told]]) -> None:
    classes = _classes({one for one in set().union(*told.values()) if one.kind != "allowed"})
    expected = {one.number: one.kind for one in planted.planted() if not one.mark or one.mark == "n"}
    judged = {number: kind for number, kind in expected.items() if kind in JUDGED}
    assert len(judged) >= 50
    assert [number for number, kind in judged.items() if kind not in classes.get(number, ())] == []


def test_of_pages_by_chance_nothing_is_missed_that_chromium_reports(
    chromium_browser: Browser, tmp_path: Path
) -> None:
    """Ever the same 25 pages here; `python -m tests.browser.random_pages` makes more, and docs/scanning.md has its figures."""
    compared = random_pages.compare(chromium_browser, tmp_path, range(25))
    assert compared.told > 150
    assert (compared.missed, compared.other) == ([], [])
