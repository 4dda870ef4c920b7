"""Chromium under playwright: one on this machine, else Debian's, unpacked with its libraries and fonts, without root."""

import contextlib
import ctypes
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartMissing

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{root}/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{root}/font-cache</cachedir></fontconfig>
"""
_MORE_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">{before}</include><dir>{root}/usr/share/fonts</dir>
<cachedir>{root}/font-cache</cachedir></fontconfig>
"""


@contextlib.contextmanager
def browser(cache: Path = fetch.CACHE, *, fonts: Sequence[str] = ()) -> Iterator[Browser]:
    """Yield a headless browser, which ends with the block; `fonts` are Debian packages of fonts. Raises PartMissing."""
    executable, env = find(cache)
    if fonts:
        env |= _with_fonts(fonts, env, cache)
    with _libraries_of_playwright(cache):
        playwright = sync_playwright().start()
    try:
        started = playwright.chromium.launch(
            executable_path=executable, args=list(_QUIET), env={**os.environ, **env}
        )
        try:
            yield started
        finally:
            started.close()
    finally:
        playwright.stop()


@contextlib.contextmanager
def beside(first: Browser, arguments: Sequence[str], cache: Path = fetch.CACHE) -> Iterator[Browser]:
    """Yield another headless browser, with further ``arguments``, which ends with the block. Raises PartMissing.

    A thread can have one playwright alone, so it runs under that of ``first``.
    """
    executable, env = find(cache)
    started = first.browser_type.launch(
        executable_path=executable, args=[*_QUIET, *arguments], env={**os.environ, **env}
    )
    try:
        yield started
    finally:
        started.close()


def _with_fonts(packages: Sequence[str], env: Mapping[str, str], cache: Path) -> dict[str, str]:
    """Return the variables with which the browser finds the fonts of these packages beside those it has."""
    root = fetch.debian(packages, cache=cache)
    before = env.get("FONTCONFIG_FILE", "/etc/fonts/fonts.conf")
    fonts = root / "more-fonts.conf"
    fonts.write_text(_MORE_FONTS.format(root=root, before=before))
    return {"FONTCONFIG_FILE": str(fonts)}


@contextlib.contextmanager
def _libraries_of_playwright(cache: Path) -> Iterator[None]:
    """Let the Node inside playwright find libatomic, which a bare Debian lacks, while the block lasts."""
    if platform.system() != "Linux" or _loads("libatomic.so.1"):
        yield
        return
    before = os.environ.get("LD_LIBRARY_PATH")
    fetched = fetch.library_path(fetch.debian(["libatomic1"], cache=cache))
    os.environ["LD_LIBRARY_PATH"] = f"{fetched}:{before}" if before else fetched
    try:
        yield
    finally:
        if before is None:
            del os.environ["LD_LIBRARY_PATH"]
        else:
            os.environ["LD_LIBRARY_PATH"] = before


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def page(*, width: int = 1280, height: int = 800, cache: Path = fetch.CACHE) -> Iterator[Page]:
    """Yield a fresh page in a headless browser of its own. Raises PartMissing."""
    with browser(cache) as started:
        yield started.new_page(viewport={"width": width, "height": height})


def find(cache: Path = fetch.CACHE) -> tuple[Path, dict[str, str]]:
    """Return the browser's program and the variables it needs."""
    for name in _NAMES:
        if found := fetch.program(name):
            return found, {}
    for place in _MACOS:
        if Path(place).exists():
            return Path(place), {}
    root = fetch.debian(["chromium", "fonts-noto-cjk", "fonts-dejavu-core"], cache=cache)
    program = root / "usr" / "lib" / "chromium" / "chromium"
    if not program.exists():  # Ubuntu's package of this name only points to a snap
        raise PartMissing(
            "Chromium", "this system's package does not hold it", "install Chromium or Google Chrome"
        )
    fonts = root / "fonts.conf"
    if not fonts.exists():
        fonts.write_text(_FONTS.format(root=root))
    return program, {"LD_LIBRARY_PATH": fetch.library_path(root), "FONTCONFIG_FILE": str(fonts)}
