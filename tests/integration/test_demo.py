"""`certdesk demo`, as a person starts it: the main job on real parts, and nothing left behind however it ends."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from bot.demo.parts import fetch
from bot.demo.parts.process import wait_until

ROOT = Path(__file__).resolve().parents[2]
DEMO = (sys.executable, "-m", "bot", "demo")
PLAY = "import sys; from pathlib import Path; from bot.demo.play import play; sys.exit(play(once=True, cache=Path(sys.argv[1])))"
PATIENCE = 240


def surroundings(tmp_path: Path, **more: str) -> dict[str, str]:
    """Return the environment of a demo that keeps its things in `tmp_path`/run, with settings that must not matter."""
    (tmp_path / "run").mkdir()
    foreign = {"CERTDESK_SLACK__BOT_TOKEN": "xoxb-someone", "CERTDESK_CONFIG": "/no/such/file"}
    return {**os.environ, **foreign, "TMPDIR": str(tmp_path / "run"), **more}


def left_behind(environment: Mapping[str, str]) -> list[str]:
    """Return what is left of a demo: files in its folder for temporary ones, and processes that were born of it."""
    mark = f"TMPDIR={environment['TMPDIR']}".encode()
    found = [str(path) for path in Path(environment["TMPDIR"]).iterdir()]
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is somebody else's
            if mark in place.read_bytes().split(b"\0"):
                found.append(place.with_name("cmdline").read_text().replace("\0", " "))
    return found


def once(words: tuple[str, ...], environment: Mapping[str, str]) -> tuple[int, str, dict[str, Any]]:
    """Run a demo that ends by itself; return its exit code, its transcript and its last line."""
    done = subprocess.run(  # noqa: S603 - our own words
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.stderr == ""
    *transcript, last = done.stdout.splitlines()
    return done.returncode, "\n".join(transcript), json.loads(last)


def test_the_main_job_is_played_to_its_end(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    code, transcript, result = once((*DEMO, "--once"), environment)
    assert code == 0, transcript
    keys = {"ok", "name", "seconds", "serial", "renewed_serial", "not_after", "edge_verified"}
    assert set(result) == keys
    assert (result["ok"], result["name"], result["edge_verified"]) == (True, "shop.moon.test", True)
    assert result["serial"] != result["renewed_serial"]
    for said in (
        "/ssl add shop.moon.test",
        "✅ Certificate for shop.moon.test is installed",
        "✓ check → ✓ CSR → ✓ order → ✓ challenge → ✓ issue → ✓ deploy → ✓ verified",
        f"Serial number     {result['serial']}",
        "Valid until       20",
        "Renews by itself  20",
        "chain verified against the CA's root",
        f"the serial changed from {result['serial']} to {result['renewed_serial']}",
    ):
        assert said in transcript
    assert left_behind(environment) == []


def few_parts(tmp_path: Path, *programs: Path) -> dict[str, str]:
    """Return the surroundings of a machine that has these programs, no Debian packages and no registry."""
    path = tmp_path / "bin"
    path.mkdir()
    for program in programs:
        (path / program.name).symlink_to(program)
    registry = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    return surroundings(tmp_path, PATH=str(path), PYTHONPATH=str(ROOT), **registry)


def test_without_packages_a_pebble_on_the_path_is_enough(tmp_path: Path) -> None:
    pebble = shutil.which("pebble") or fetch.debian(["pebble"], suite="sid") / "usr" / "bin" / "pebble"
    environment = few_parts(tmp_path, Path(pebble))
    code, transcript, result = once((sys.executable, "-c", PLAY, str(tmp_path / "parts")), environment)
    assert code == 0, transcript
    assert result["ok"]
    assert result["serial"] != result["renewed_serial"]
    missing = [line for line in transcript.splitlines() if line.startswith("  ! ")]
    assert [line for line in missing if line.endswith("The terminal takes the workspace's place.")]
    assert "certdesk ssl add shop.moon.test" in transcript
    assert "✓ Certificate for shop.moon.test is renewed and installed" in transcript
    assert left_behind(environment) == []


def test_without_a_ca_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    environment = few_parts(tmp_path)
    code, transcript, result = once((sys.executable, "-c", PLAY, str(tmp_path / "parts")), environment)
    assert (code, result["ok"]) == (1, False)
    assert result["reason"].startswith("pebble (the ACME test CA) could not be had: ")
    assert result["reason"] in transcript
    assert left_behind(environment) == []


@contextlib.contextmanager
def demo(words: tuple[str, ...], environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Start a demo at the head of a process group of its own, as a shell does."""
    with subprocess.Popen(  # noqa: S603 - our own words
        words,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGKILL)


def until(output: IO[str] | None, words: str) -> list[str]:
    """Read lines to the first that holds `words`; return them all."""
    assert output is not None
    read = []
    for line in output:
        read.append(line)
        if words in line:
            return read
    pytest.fail(f"it ended without {words!r}: {''.join(read)}")


def test_it_stays_up_until_ctrl_c_which_ends_all(tmp_path: Path) -> None:
    environment = surroundings(tmp_path)
    with demo(DEMO, environment) as started:
        read = until(started.stdout, "Ctrl-C stops all of it")
        health = next(line for line in read if "health, metrics" in line).split()[2]
        assert requests.get(health, timeout=5).status_code == 200
        other = next(line for line in read if "in another terminal:" in line).partition(":")[2]
        assert "shop.moon.test" in typed(other)
        added = typed(other.replace("ssl status", "ssl add '*.moon.test' --wait"))
        assert "✓ Certificate for *.moon.test is installed" in added
        os.killpg(started.pid, signal.SIGINT)
        until(started.stdout, "Stopping")
        os.killpg(started.pid, signal.SIGINT)  # impatience must not disturb the clearing up
        rest = started.communicate(timeout=60)[0]
    assert (started.returncode, rest.strip()) == (0, "")
    assert left_behind(environment) == []


def typed(line: str) -> str:
    """Return what a shell at the root of the checkout answers to a line, with the tests' own Python for `./certdesk`."""
    line = line.replace("./certdesk", f"{sys.executable} -m bot")
    done = subprocess.run(  # noqa: S603 - the line that the demo has printed
        ["/bin/sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("DNS server", signal.SIGINT),
        ("CA           pebble", signal.SIGINT),
        ("signed request delivered", signal.SIGINT),
        ("key and CSR made", signal.SIGTERM),
    ],
)
def test_a_signal_at_any_moment_ends_it_cleanly(tmp_path: Path, moment: str, number: signal.Signals) -> None:
    environment = surroundings(tmp_path)
    with demo((*DEMO, "--once"), environment) as started:
        until(started.stdout, moment)
        os.killpg(started.pid, number)
        rest = started.communicate(timeout=60)[0]
    assert started.returncode == 128 + number
    assert "Traceback" not in rest
    assert json.loads(rest.splitlines()[-1])["reason"] == f"stopped by {number.name}"
    wait_until(lambda: left_behind(environment) == [], 5, "nothing is left behind")
