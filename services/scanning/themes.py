"""Implements `services.ports.scanning.Themes`: a folder, or an address, where the platform keeps themes by store."""

import json
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import requests
import urllib3

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
_PIECE = 64 * 1024


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
        """Return path -> text; empty if there is no such folder. Raises CertdeskError if it cannot be read."""
        if store in ("", ".", "..") or any(mark in store for mark in "/\\\0"):
            return {}
        found: dict[str, str] = {}
        left = MOST_BYTES
        try:
            root = Path(self._folder.replace("{store}", store)).resolve()
            for path in sorted(root.rglob("*")):
                name = path.relative_to(root).as_posix()
                if not _fits(name) or not _within(path, root):
                    continue
                left -= path.stat().st_size
                if left < 0 or len(found) >= MOST_FILES:
                    break
                # line ends stay as they are: a diff of other ones could not be applied
                found[name] = path.read_bytes().decode("utf-8", errors="replace")
        except OSError as error:
            raise _unreadable(error) from None
        return found


def _within(path: Path, root: Path) -> bool:
    """Tell whether it is a file, and no link that leads out of the folder, or round in circles."""
    try:
        return path.resolve().is_relative_to(root) and path.is_file()
    except (OSError, RuntimeError):
        return False


class HttpThemes:
    """URL with ``{store}`` in it, which answers ``{"files": {"PATH": "TEXT"}}``, or 404 for a store without a theme."""

    def __init__(self, url: str) -> None:
        self._url = url

    def files(self, store: str) -> Mapping[str, str]:
        """Return path -> text. Raises CertdeskError if the source cannot be read."""
        url = self._url.replace("{store}", quote(store, safe=""))
        ends = time.monotonic() + TIMEOUT
        body = bytearray()
        try:
            with requests.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
                if answer.status_code == requests.codes.not_found:
                    return {}
                answer.raise_for_status()
                while piece := answer.raw.read1(_PIECE, decode_content=True):
                    body += piece
                    if len(body) > MOST_BYTES or time.monotonic() > ends:
                        raise ValueError
            files = json.loads(body)["files"]
            named = {str(path): str(text) for path, text in files.items()}
            return {path: text for path, text in sorted(named.items())[:MOST_FILES] if _fits(path)}
        except _UNREADABLE as error:
            raise _unreadable(error) from None


_UNREADABLE = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
)


def _fits(name: str) -> bool:
    """Tell whether a file is one that is read, and its name one that may stand in a diff: whoever applies that changes what it names."""
    path = PurePosixPath(name)
    lies_below = not path.is_absolute() and ".." not in path.parts and path.parts[:1] != (".git",)
    return path.suffix.lower() in KINDS and lies_below and name.isprintable() and not set(name) & set('\\"')


def _unreadable(error: Exception) -> CertdeskError:
    return CertdeskError(
        say(
            "scan.theme_source cannot be read ({why}), so the places in the theme are not named.",
            why=type(error).__name__,
        )
    )
