"""An environment of its own for a part that is a Python program, made from a lock of hashes under a newer Python than ours."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bot.demo.parts.errors import PartMissing

_PYTHONS = ("python3.14", "python3.13", "python3.12")
_ASK = "import sys; print(sys.executable) if sys.version_info >= (3, 12) else sys.exit(1)"
_SECONDS = 300


def environment(name: str, lock: Path, cache: Path) -> Path:
    """Return the folder of the programs of ``lock`` (a requirements file with hashes), installed once in ``cache``.

    Raises PartMissing where no Python 3.12 or newer is on this machine, or the registry cannot be reached.
    """
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    final = cache / "python" / f"{name}-{digest}"
    if not (final / "complete").exists():
        python = _newer(name)
        shutil.rmtree(final, ignore_errors=True)
        _run(name, [python, "-m", "venv", "--without-pip", final])
        into = ["--python", str(final / "bin" / "python"), str(lock)]
        _run(name, [sys.executable, "-m", "uv", "pip", "sync", "--quiet", "--require-hashes", *into])
        (final / "complete").touch()
    return final / "bin"


def _newer(name: str) -> str:
    for program in _candidates():
        asked = subprocess.run([program, "-c", _ASK], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            return asked.stdout.strip()
    raise PartMissing(name, "it needs Python 3.12 or newer, and there is none here", "install python3.12")


def _candidates() -> Iterator[str]:
    """Yield programs that may be a newer Python: on the PATH, and where pyenv keeps its own."""
    yield from (found for name in _PYTHONS if (found := shutil.which(name)))
    kept = Path.home() / ".pyenv" / "versions"
    yield from (str(found) for found in sorted(kept.glob("3.1[2-9]*/bin/python3"), reverse=True))


def _run(name: str, argv: list[str | Path]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or [f"{argv[0]} failed"]
        raise PartMissing(name, reason[0][:200], "see that the package registry can be reached")
