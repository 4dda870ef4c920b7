"""Theme files: where things stand in them, diffs that really apply, and sources that break, swell or lead astray."""

import difflib
import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.errors import CertdeskError
from services.scanning import theme, themes
from services.scanning.themes import FolderThemes, HttpThemes
from tests.parts import Tool
from tests.unit.test_scanning_fetching import served

URL = "http://a.test/x.png?a=1&b=2"


OPTIONS = {"git": ("apply", "-p1", "-"), "patch": ("-p1", "--batch", "--fuzz=0")}


def applied(folder: Path, files: Mapping[str, str], diff: str, tool: Tool) -> dict[str, str]:
    """Return the files after `git apply`, or `patch`, has changed them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    told = subprocess.run(  # noqa: S603 - git or patch, and a diff of ours
        [tool.path, *OPTIONS[tool.path.name]],
        input=diff.encode(),
        cwd=folder,
        env=dict(os.environ) | tool.variables,
        check=False,
        capture_output=True,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return {name: (folder / name).read_bytes().decode() for name in files}


@pytest.mark.parametrize("tool", sorted(OPTIONS), indirect=True)
@pytest.mark.parametrize(
    "around",
    [
        "a\n{}\nb\n",
        "a\r\n{}\r\nb\r\n",
        "{}",
        "\n\n\n\n\n{}",
        "{}\n",
        "a\u2028{}\u2028b\x0cc\n{}",
        "a\r{}\rb",
        "{}\n" * 9,
        "{}" + "\n" * 30 + "{}\nlast",
        "\x85{}\x1c\n",
    ],
)
def test_a_diff_is_one_that_is_applied(tmp_path: Path, around: str, tool: Tool) -> None:
    files = {
        "a.html": around.replace("{}", f"<img src='{URL}'>"),
        "b c/d.css": "url(http:\\/\\/a.test\\/x.png?a=1&b=2)",
        "--- \u2713.css": f"{URL}\r\n",
    }
    after = applied(tmp_path, files, theme.patch(files, {URL}), tool)
    assert after == {name: text.replace("http:", "https:") for name, text in files.items()}


_LINES = st.lists(
    st.sampled_from(["", "a", "b", f"<{URL}>", f"{URL} {URL}", f"{URL}0", "http://a.test/"]), max_size=40
)


@given(_LINES, st.sampled_from(["", "\n"]))
def test_a_diff_says_what_difflib_says(lines: list[str], end: str) -> None:
    """Where no changed line is like another one, for difflib looks for those."""
    old = "\n".join(f"{number} {line}" for number, line in enumerate(lines)) + end
    new = re.sub(rf"http(?={re.escape(URL[4:])}(?!\d))", "https", old)
    said = [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), "a/x.html", "b/x.html"
        )
    ]
    counts = [line.replace("@@ -1 +1 @@", "@@ -1,1 +1,1 @@") for line in said]
    assert theme.patch({"x.html": old}, {URL}) == "".join(counts)


def test_of_two_urls_the_longer_one_is_meant_and_nothing_longer() -> None:
    urls = {"http://a.test/x", "http://a.test/x?y"}
    text = "http://a.test/x http://a.test/x?y http://a.test/x?yz HTTP://A.test/x) https://a.test/x xhttp://a.test/x"
    assert theme.places({"a.js": text.replace(" ", "\n")}, urls) == {
        "http://a.test/x": ("a.js:1", "a.js:4"),
        "http://a.test/x?y": ("a.js:2",),
    }


def test_a_file_in_another_encoding_is_named_and_not_changed() -> None:
    files = {"a.html": f"\N{REPLACEMENT CHARACTER}\n{URL}"}
    assert theme.places(files, {URL}) == {URL: ("a.html:2",)}
    assert theme.patch(files, {URL}) == ""


def test_very_many_urls_are_looked_for_in_a_large_theme_in_one_go() -> None:
    """One by one they would take minutes."""
    urls = {f"http://cdn{n % 7}.test/pictures/{n}.png" for n in range(2000)}
    line = "<a href='http://elsewhere.test/x'><img src='http://cdn3.test/pictures/3.png'>\n"
    files = {f"{n}.html": line * 2000 for n in range(30)}
    begun = time.monotonic()
    assert len(theme.places(files, urls)) == 1
    assert theme.patch(files, urls).count("\n+<a") == 60_000
    assert time.monotonic() - begun < 20


# --- folders


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"a\r\nb\rc\n\xff")
    assert FolderThemes(f"{tmp_path}/{{store}}/..").files(".") == {}
    assert FolderThemes(str(tmp_path)).files("moon") == {"a.html": "a\r\nb\rc\n\N{REPLACEMENT CHARACTER}"}


def test_links_that_lead_round_or_out_and_strange_names_do_no_harm(tmp_path: Path) -> None:
    inside = tmp_path / "moon"
    inside.mkdir()
    (inside / "a.html").write_text("a")
    (inside / "out.html").symlink_to("/etc/passwd")
    (inside / 'b"\n+++ b.html').write_text("a")
    (tmp_path / "x.html").write_text("a")
    (inside / "up").symlink_to(tmp_path)
    source = FolderThemes(f"{tmp_path}/{{store}}")
    assert source.files("moon") == {"a.html": "a"}
    (inside / "round.html").symlink_to(inside / "round.html")
    assert source.files("moon") == {"a.html": "a"}


# --- addresses


def _answer(body: bytes, *more: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + b"".join(more) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _asked(answer: bytes) -> Mapping[str, str]:
    with served(lambda connection: connection.sendall(answer)) as port:
        return HttpThemes(f"http://127.0.0.1:{port}/{{store}}").files("moon")


def test_an_address_gives_files_and_no_path_leads_out_of_the_theme() -> None:
    paths = [
        "a.html",
        "../b.html",
        "/etc/c.html",
        "x/../../d.html",
        ".git/e.html",
        "f\n+++ b/g.html",
        'h".html',
        "i.exe",
    ]
    assert _asked(_answer(json.dumps({"files": dict.fromkeys(paths, "x")}).encode())) == {"a.html": "x"}


@pytest.mark.parametrize(
    "answer",
    [
        _answer(b"[" * 200_000),
        _answer(b"[]"),
        _answer(b'{"files": 3}'),
        _answer(b"no JSON"),
        _answer(b"x" * 100, b"Content-Encoding: gzip\r\n"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense",
        b"HTTP/1.1 500 No\r\n\r\n",
        b"nonsense",
    ],
)
def test_a_source_that_is_broken_is_said_to_be_so(answer: bytes) -> None:
    with pytest.raises(CertdeskError, match=r"scan\.theme_source cannot be read"):
        _asked(answer)


def test_a_source_that_swells_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(themes, "MOST_BYTES", 100_000)
    with pytest.raises(CertdeskError, match=r"scan\.theme_source cannot be read"):
        _asked(_answer(b" " * 300_000 + b'{"files": {}}'))
