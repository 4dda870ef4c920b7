"""What other scanners find on the fixture site, for docs/scanning.md: `python -m tests.browser.other_scanners [FOLDER]`.

Of two, which are PHP, the attributes that their sources list are looked at in the same parse as certdesk's. If FOLDER holds their
extractors (other_scanners.php says which files), these run as well, in PHP; and Lighthouse does, if FOLDER has it in node_modules
(`npm install lighthouse@12`).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from justhtml import JustHTML
from justhtml.dom import Element, Node

from bot.demo.parts import chromium
from tests import planted
from tests.browser import scanned_site

_SHARED: Mapping[str, tuple[str, ...]] = {
    "audio": ("src",), "embed": ("src",), "form": ("action",), "iframe": ("src",), "img": ("src", "srcset"), "link": ("href",),
    "object": ("data",), "param": ("value",), "script": ("src",), "source": ("src", "srcset"), "video": ("src",),
}  # fmt: skip
_URL = re.compile(r"url\((http://.*?)\)")
_CHROME = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --ignore-certificate-errors"
PATIENCE = 200.0
MIXED = frozenset({"blockable", "upgradeable"})


@dataclass(frozen=True, slots=True)
class Counted:
    """What one scanner reports."""

    found: int
    """How many of the planted problems."""
    mixed: int
    """How many of those that browsers block or upgrade."""
    false: int
    """How many other things."""
    reported: int


def spatie() -> Counted:
    """Return what spatie/mixed-content-scanner (src/MixedContentExtractor.php) looks for: attributes, and url() in linked style sheets."""
    reported = [
        value
        for node, attribute, value in _attributes(_SHARED)
        if _scheme(value) == "http" and (node.name != "link" or (node.attrs or {}).get("rel") == "stylesheet")
    ]
    return _counted([*reported, *_URL.findall(planted.text("theme.css"))])


def bramus() -> Counted:
    """Return what bramus/mixed-content-scan (src/DOMDocument.php) looks for: http:// anywhere in some attributes."""
    listed = {**_SHARED, "img": ("src", "srcset", "data-src")}
    return _counted([value for _, _, value in _attributes(listed) if "http://" in value.lower()])


def php(folder: Path) -> Mapping[str, Counted]:
    """Return what the extractors of the two in ``folder`` report, by name: of each page, and of its style sheet where they read one."""
    driver = Path(__file__).with_suffix(".php")
    files = [*(planted.SITE / name for name in planted.PAGES), planted.SITE / "theme.css"]
    done = subprocess.run(  # noqa: S603 - a fixed list
        [shutil.which("php") or "php", str(driver), str(folder), *map(str, files)],
        timeout=PATIENCE,
        check=True,
        capture_output=True,
    )
    return {name: _counted(reported) for name, reported in json.loads(done.stdout).items()}


def lighthouse(folder: Path) -> tuple[Counted, float]:
    """Return what Lighthouse's audit is-on-https reports, and how many seconds a page takes."""
    executable, environment = chromium.find()
    reported: list[str] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, scanned_site.served(Path(scratch)) as port:
        for name in planted.PAGES:
            answer = Path(scratch) / f"{name}.json"
            flags = f'{_CHROME} --host-resolver-rules="MAP * 127.0.0.1:{port}"'
            words = ("--quiet", "--output=json", f"--output-path={answer}", "--only-audits=is-on-https")
            program = (shutil.which("node") or "node", "node_modules/lighthouse/cli/index.js")
            subprocess.run(  # noqa: S603 - a fixed list
                (*program, planted.url(name), *words, f"--chrome-flags={flags}"),
                cwd=folder,
                env={**os.environ, **environment, "CHROME_PATH": str(executable)},
                timeout=PATIENCE,
                check=True,
            )
            details = json.loads(answer.read_bytes())["audits"]["is-on-https"].get("details") or {}
            reported += [str(item["url"]) for item in details.get("items", ())]
    return _counted(reported), (time.monotonic() - began) / len(planted.PAGES)


def _attributes(listed: Mapping[str, Sequence[str]]) -> Iterator[tuple[Element, str, str]]:
    for name in planted.PAGES:
        for node in _elements(JustHTML(planted.text(name), sanitize=False).root):
            for attribute in listed.get(node.name, ()):
                value = (node.attrs or {}).get(attribute)
                if value is not None:
                    yield node, attribute, value


def _elements(root: Node) -> Iterator[Element]:
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Element):
            yield node
        waiting += [child for child in node.children or () if isinstance(child, Node)]


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _counted(reported: Sequence[str]) -> Counted:
    labels = [planted.label(value) for value in reported]
    found = {one[0] for one in labels if one}
    mixed = {one.number for one in planted.planted() if one.kind in MIXED}
    return Counted(len(found), len(found & mixed), labels.count(None), len(reported))


if __name__ == "__main__":
    sys.stdout.write(f"of {len(planted.planted())}\nspatie {spatie()}\nbramus {bramus()}\n")
    given = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    if given and (given / "DOMDocument.php").is_file():
        sys.stdout.write("".join(f"{name} in PHP {counted}\n" for name, counted in php(given).items()))
    if given and (given / "node_modules").is_dir():
        counted, seconds = lighthouse(given)
        sys.stdout.write(f"lighthouse {counted}, {seconds:.1f} s a page\n")
