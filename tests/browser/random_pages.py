"""Makes pages by chance, and compares what a browser says of them with what a scan does: `python -m tests.browser.random_pages 300`.

The fixture site holds what its makers thought of. What stands here is put together by a die, and Chromium alone says what it is.
"""

import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser

from bot.demo.parts import chromium
from services.scanning import pages
from tests import planted
from tests.browser import scanned_site

_NUMBER = re.compile(r"/n([0-9]+)e")
_ENDS = ("", ".png", ".js", ".css", "?a=1&b=2")
_RELS = (
    "stylesheet",
    "alternate stylesheet",
    "STYLESHEET",
    "preload",
    "prefetch",
    "canonical",
    "modulepreload",
    "preconnect",
    "next",
)
_AS = ("script", "image", "style", "font", "fetch", "video", "audio", "track", "bogus")
_TYPES = (
    "module",
    "text/javascript",
    "TEXT/JavaScript",
    " text/javascript ",
    "text/javascript; x=y",
    "text/plain",
    "application/json",
    "",
)
_OUTER = ("div", "p", "table", "td", "b", "a", "ul", "h1", "button", "template", "noscript")
MOST_OUTER = 2
PIECES = 12


class Page:
    """One page by chance; the same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self._die, self._next = random.Random(seed), 0  # noqa: S311 - nothing is secret here
        self.html = "<!doctype html><title>x</title>" + "".join(self._piece(0) for _ in range(PIECES))

    def _url(self) -> str:
        """Return an insecure URL that is like no other, written in one of the ways that browsers take."""
        self._next += 1
        url = f"http://h{self._next}.test/n{self._next}e{self._die.choice(_ENDS)}"
        ways: tuple[str, ...] = (
            url, url, url, url.replace("http", "HTTP"), f" {url} ", url.replace("http:", "http&#58;"),
            url.replace("://", ":"), url.replace("://", ":///"), f"ht\ntp{url[4:]}",
        )  # fmt: skip
        return self._die.choice(ways)

    def _plain(self) -> str:
        return self._url().strip().replace("&#58;", ":").replace("\n", "")

    def _is(self, name: str, value: str) -> str:
        """Return an attribute, quoted somehow."""
        bare = not re.search(r"[\s\"'=<>`]", value) and value
        quoted = self._die.choice((f'"{value}"', f"'{value}'", value if bare else f'"{value}"'))
        return (
            self._die.choice((" ", "\n", " "))
            + self._die.choice((name, name, name.upper()))
            + self._die.choice(("=", " = "))
            + quoted
        )

    def _perhaps(self, name: str, *values: str) -> str:
        return self._is(name, self._die.choice(values)) if self._die.random() < 0.5 else ""

    def _piece(self, depth: int) -> str:
        if depth < MOST_OUTER and self._die.random() < 0.25:
            outer = self._die.choice(_OUTER)
            inner = "".join(self._piece(depth + 1) for _ in range(self._die.randint(1, 3)))
            return f"<{outer}>{inner}" + (
                f"</{outer}>" if self._die.random() < 0.8 or outer == "noscript" else ""
            )
        return self._die.choice(_PIECES)(self)


def _tag(name: str, attribute: str, *, end: str = "", **more: tuple[str, ...]) -> Callable[[Page], str]:
    def piece(page: Page) -> str:
        others = "".join(page._perhaps(key.rstrip("_"), *values) for key, values in more.items())
        return f"<{name}{others}{page._is(attribute, page._url())}>{end}"

    return piece


_PIECES: tuple[Callable[[Page], str], ...] = (
    _tag("img", "src", loading=("eager",)),
    _tag("img", "src", srcset=("x.png 1x",)),
    _tag("img alt=''", "src"),
    _tag("image", "src"),
    _tag("script", "src", end="</script>", type=_TYPES, language=("vbscript", "JavaScript")),
    _tag("script nomodule", "src", end="</script>"),
    _tag("link", "href", rel=_RELS, as_=_AS, media=("print",), type=("text/css", "text/plain")),
    _tag("link rel=stylesheet", "href", disabled=("",), title=("x",)),
    _tag("iframe", "src", end="</iframe>"),
    _tag("object", "data", end="</object>", type=("image/png", "text/html"), classid=("x",)),
    _tag("embed", "src", type=("image/png",)),
    _tag("video preload=auto", "src", end="</video>"),
    _tag("video", "poster", end="</video>"),
    _tag("audio preload=auto><source", "src", end="</audio>", type=("audio/ogg", "audio/bogus")),
    _tag("form", "action", end="<input></form>", method=("dialog", "post")),
    _tag("form><button", "formaction", end="x</button></form>", type=("submit", "reset")),
    _tag("input", "src", type=("image", "IMAGE", "text", "submit")),
    _tag("table", "background", end="<td>x</table>"),
    _tag("div", "background", end="x</div>"),
    _tag("div", "data-src", end="x</div>"),
    _tag("a", "href", end="x</a>"),
    _tag("track", "src"),
    _tag("svg><image width=1 height=1", "href", end="</image></svg>"),
    _tag("svg><image width=1 height=1", "xlink:href", end="</image></svg>"),
    _tag("svg><use", "href", end="</use></svg>"),
    _tag("svg><script", "href", end="</script></svg>"),
    _tag("svg><desc><img", "src", end="</desc></svg>"),
    _tag("math><img", "src", end="</math>"),
    _tag("textarea><img", "src", end="</textarea>"),
    _tag("template><img", "src", end="</template>"),
    _tag("div><template shadowrootmode=open><img", "src", end="</template></div>"),
    _tag("xmp><img", "src", end="</xmp>"),
    _tag("!-- <img", "src", end=" -->"),
    _tag("noscript><img", "src", end="</noscript>"),
    lambda page: f"<img srcset='{page._plain()} 1x, {page._plain()} 2x'>",
    lambda page: f"<picture><source srcset='{page._plain()}'><img src=x.png></picture>",
    lambda page: f"<p style='background:url({page._plain()})'>x</p>",
    lambda page: f"<style>p{{background:url({page._plain()})}}</style><p>x</p>",
    lambda page: f"<style>@import url({page._plain()});</style>",
    lambda page: f"<style>@font-face{{font-family:f{page._next};src:url({page._plain()})}}p{{font-family:f{page._next - 1}}}</style><p>x</p>",
    lambda page: f"<iframe srcdoc='<img src=&quot;{page._plain()}&quot;>'></iframe>",
    lambda page: f"<div title='<img src={page._plain()}>'>x</div>",
)  # fmt: skip


@dataclass
class Compared:
    """What the two say, added up over pages."""

    told: int = 0
    """How many URLs Chromium reports."""
    missed: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    """Of another class."""
    silent: list[str] = field(default_factory=list)
    """What the scan calls blockable or upgradeable, and Chromium does not ask for."""

    def add(self, told: Mapping[str, set[str]], found: Mapping[str, set[str]], where: str) -> None:
        """Add one page."""
        self.told += len(told)
        self.missed += [f"{where} {number}: {kinds}" for number, kinds in told.items() if number not in found]
        self.other += [
            f"{where} {number}: {kinds} {found[number]}"
            for number, kinds in told.items()
            if number in found and not found[number] & (kinds | {"likely"})
        ]
        loaded = {"blockable", "upgradeable"}
        self.silent += [
            f"{where} {n}: {kinds}" for n, kinds in found.items() if n not in told and kinds & loaded
        ]


def compare(first: Browser, folder: Path, seeds: range) -> Compared:
    """Open a page for each seed in Chromium, with scripts and without, and compare."""
    compared, made = Compared(), {f"{seed}.html": Page(seed).html for seed in seeds}
    for name, html in made.items():
        (folder / name).write_text(html, encoding="utf-8", newline="")
    with (
        scanned_site.served(folder / "tls", folder) as port,
        chromium.beside(first, [f"--host-resolver-rules=MAP * 127.0.0.1:{port}"]) as browser,
    ):
        for name, html in made.items():
            said = scanned_site.told(browser, name) | scanned_site.told(browser, name, scripts=False)
            page = pages.read(html, planted.url(name), lambda host: host == planted.HOST)
            told = _by_number((one.url, one.kind) for one in said)
            compared.add(told, _by_number((one.url, one.kind.value) for one in page.found), name)
    return compared


def _by_number(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    numbered: dict[str, set[str]] = {}
    for url, kind in pairs:
        if match := _NUMBER.search(url):
            numbered.setdefault(match[1], set()).add(kind)
    return numbered


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, chromium.browser() as begun:
        result = compare(begun, Path(scratch), range(int(sys.argv[1])))
    amounts = f"{len(result.missed)} missed, {len(result.other)} of another class, {len(result.silent)} not asked for"
    sys.stdout.write(f"Chromium reports {result.told}: {amounts}\n")
    sys.stdout.writelines(f"{line}\n" for line in (*result.missed, *result.other, *result.silent))
