"""Implements `services.ports.scanning.Themes`: a folder, or an address, where the platform keeps themes by store."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import requests

from services.model.errors import CertdeskError
from services.model.text import say
from services.ports.scanning import Themes

KINDS = frozenset(
    {
        ".html",
        ".htm",
        ".liquid",
        ".hbs",
        ".twig",
        ".php",
        ".tpl",
        ".css",
        ".scss",
        ".js",
        ".json",
        ".svg",
        ".txt",
    }
)
"""Ends of the names of files that are read."""
MOST_FILES = 2_000
MOST_BYTES = 20 * 1024 * 1024
TIMEOUT = 20
"""Seconds that an address may take."""


def source_of(source: str) -> Themes:
    """Return the source that a setting names: a folder, an http(s) address, or none if it is empty."""
    if not source:
        return NoThemes()
    return HttpThemes(source) if "://" in source else FolderThemes(source)


class NoThemes:
    """Where no source is set."""

    def files(self, _store: str) -> Mapping[str, str]:
        """Return nothing."""
        return {}


class FolderThemes:
    """FOLDER with ``{store}`` in it: the files below it, none of which may lead out of it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def files(self, store: str) -> Mapping[str, str]:
        """Return path -> text; empty if there is no such folder."""
        if store in ("", ".", "..") or any(mark in store for mark in "/\\\0"):
            return {}
        root = Path(self._folder.replace("{store}", store)).resolve()
        found: dict[str, str] = {}
        left = MOST_BYTES
        for path in sorted(root.rglob("*")):
            if (
                path.suffix.lower() not in KINDS
                or not path.resolve().is_relative_to(root)
                or not path.is_file()
            ):
                continue
            left -= path.stat().st_size
            if left < 0 or len(found) >= MOST_FILES:
                break
            found[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
        return found


class HttpThemes:
    """URL with ``{store}`` in it, which answers ``{"files": {"PATH": "TEXT"}}``, or 404 for a store without a theme."""

    def __init__(self, url: str) -> None:
        self._url = url

    def files(self, store: str) -> Mapping[str, str]:
        """Return path -> text. Raises CertdeskError if the source cannot be read."""
        url = self._url.replace("{store}", quote(store, safe=""))
        try:
            with requests.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
                if answer.status_code == requests.codes.not_found:
                    return {}
                answer.raise_for_status()
                body = answer.raw.read(MOST_BYTES + 1, decode_content=True)
            files = json.loads(body)["files"]
            return {str(path): str(text) for path, text in files.items()}
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CertdeskError(
                say(
                    "scan.theme_source cannot be read ({why}), so the places in the theme are not named.",
                    why=type(error).__name__,
                )
            ) from None
