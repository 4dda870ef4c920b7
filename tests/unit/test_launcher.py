"""The launcher sets up once, again when the lock changes or a set-up was cut short, and never twice at a time."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "cat", "cmp", "dirname", "readlink", "id", "rm", "mv", "mkdir", "ln", "stat")
# Stands for Python: writes down that it was asked for an environment or for libraries, and does the rest in earnest.
PYTHON = """#!/bin/sh
case "$*" in
    "-m venv"*) echo venv >>"{log}"; mkdir -p "$4/bin"; ln -sf "$0" "$4/bin/python" ;;
    "-m pip"*) echo pip >>"{log}"; [ ! -e "{log}.broken" ] ;;
    *ensurepip*) [ ! -e "{log}.no-venv" ] ;;
    *) exec "{python}" "$@" ;;
esac
"""


class Checkout:
    """A copy of the launcher with a lock, a bot that says where it stands, and a PATH of its own."""

    def __init__(self, folder: Path, *, python: bool = True) -> None:
        self.root, self.path, self.log = folder / "checkout", folder / "path", folder / "log"
        (self.root / "bot").mkdir(parents=True)
        self.path.mkdir()
        shutil.copy(ROOT / "certdesk", self.root)
        self.lock("one==1")
        (self.root / "bot" / "__init__.py").touch()
        (self.root / "bot" / "__main__.py").write_text("import os, sys; print(os.getcwd(), sys.argv[1:])")
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found
            (self.path / tool).symlink_to(found)
        if python:
            stand_in = self.path / "python3"
            stand_in.write_text(PYTHON.format(log=self.log, python=sys.executable))
            stand_in.chmod(0o755)

    def lock(self, text: str) -> None:
        (self.root / "requirements.lock").write_text(text)

    def mark(self, what: str) -> Path:
        return self.log.with_name(f"{self.log.name}.{what}")

    def start(self, *words: str, cwd: Path | None = None, user: int | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 - our own launcher
            [self.root / "certdesk", *words],
            cwd=cwd,
            user=user,
            env={"PATH": str(self.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, cwd: Path | None = None, user: int | None = None) -> tuple[int, str, str]:
        process = self.start(*words, cwd=cwd, user=user)
        out, error = process.communicate(timeout=60)
        return process.returncode, out, error

    def asked(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_a_fitting_python_it_says_what_to_type(tmp_path: Path) -> None:
    code, out, error = Checkout(tmp_path, python=False).run()
    assert (code, out) == (1, "")
    assert error.startswith("certdesk: Python 3.11 or newer is needed")
    assert "apt-get install python3 python3-venv" in error
    assert error.count("\n") == 1


def test_without_venv_and_apt_it_says_what_to_type(checkout: Checkout) -> None:
    checkout.mark("no-venv").touch()
    code, _, error = checkout.run()
    assert code == 1
    assert "apt-get install -y --no-install-recommends python3" in error
    assert "venv" not in checkout.asked()


def test_the_first_start_sets_up_with_one_line_and_the_second_with_none(
    checkout: Checkout, tmp_path: Path
) -> None:
    code, out, error = checkout.run("ssl", "status", cwd=tmp_path)
    assert (code, out) == (0, f"{tmp_path} ['ssl', 'status']\n")
    assert (
        error == "certdesk: setting up .venv (once, about half a minute; minutes where the network is slow)\n"
    )
    assert checkout.run("--version", cwd=tmp_path) == (0, f"{tmp_path} ['--version']\n", "")
    assert checkout.asked() == ["venv", "pip"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("test", "--help"), "Usage: ./certdesk test [WHAT...]"),
        (("test", "-h"), "./certdesk test tests/unit"),
        (("check", "--help"), "Changes nothing."),
    ],
)
def test_its_own_commands_have_a_help_of_their_own(
    checkout: Checkout, words: tuple[str, ...], said: str
) -> None:
    code, out, _ = checkout.run(*words)
    assert code == 0
    assert said in out
    assert "pytest's options" in out or words[0] == "check"
    assert len(out.splitlines()) < 12


def test_a_folder_named_bot_where_the_caller_stands_is_not_taken_for_ours(
    checkout: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__main__.py").write_text("raise SystemExit('not this one')")
    assert checkout.run(cwd=tmp_path)[0] == 0


def test_a_changed_lock_is_set_up_again(checkout: Checkout) -> None:
    checkout.run()
    checkout.lock("one==2")
    assert "setting up" in checkout.run()[2]
    assert checkout.asked() == ["venv", "pip"] * 2


def test_a_set_up_that_was_cut_short_is_done_again(checkout: Checkout) -> None:
    checkout.mark("broken").touch()
    code, _, error = checkout.run()
    assert (code, error.count("\n")) == (1, 2)
    checkout.mark("broken").unlink()
    assert checkout.run()[0] == 0
    assert checkout.asked() == ["venv", "pip"] * 2


def test_of_several_first_starts_one_sets_up_and_the_others_wait(checkout: Checkout) -> None:
    started = [checkout.start() for _ in range(4)]
    ends = [(process.communicate(timeout=60), process.returncode) for process in started]
    assert [code for _, code in ends] == [0] * 4
    assert checkout.asked() == ["venv", "pip"]


@pytest.fixture
def somebody_elses() -> Iterator[tuple[Checkout, int | None]]:
    """Give a checkout where another user than its owner may read, and that user if this one is root."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(Path(folder))
        Path(folder).chmod(0o755)
        checkout.root.chmod(0o555)
        yield checkout, 65534 if os.geteuid() == 0 else None
        checkout.root.chmod(0o755)


def test_who_may_not_write_the_checkout_is_told_who_sets_it_up(
    somebody_elses: tuple[Checkout, int | None],
) -> None:
    checkout, user = somebody_elses
    code, out, error = checkout.run("--help", cwd=checkout.root, user=user)
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert error.startswith(f"certdesk: {checkout.root} cannot be written by ")
    assert f"run ./certdesk --help once as its owner ({checkout.root.owner()})" in error
    assert checkout.asked() == []


def test_who_may_not_run_the_owners_python_is_told_to_clone(
    somebody_elses: tuple[Checkout, int | None],
) -> None:
    checkout, user = somebody_elses
    checkout.root.chmod(0o755)
    assert checkout.run()[0] == 0
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("python3")
    python.with_name("python3").symlink_to("/nowhere/python3")
    checkout.root.chmod(0o555)
    code, out, error = checkout.run(cwd=checkout.root, user=user)
    assert (code, out, error.count("\n")) == (1, "", 1)
    assert "may not run (/nowhere/python3); clone it again" in error
