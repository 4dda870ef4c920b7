"""A part that is a Python program: what its lock of hashes says, in a folder of its own, under a newer Python than ours."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartMissing

_PYTHONS = ("python3.14", "python3.13", "python3.12")
_ASK = "import sys; v = sys.version_info; print(sys.executable, f'{v[0]}.{v[1]}') if v >= (3, 12) else sys.exit(1)"
_SECONDS = 300
_DEBIANS = (
    *(
        "python3.13-minimal",
        "libpython3.13-minimal",
        "libpython3.13-stdlib",
        "libc6",
        "libgcc-s1",
        "libexpat1",
    ),
    *("zlib1g", "libssl3t64", "libzstd1", "libffi8", "libsqlite3-0", "libbz2-1.0", "liblzma5", "libuuid1"),
)
"""Debian's next Python with all that it stands on, the C library included: it runs under a loader of its own."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python, and how it is called."""

    words: tuple[str, ...]
    version: str
    """Such as 3.13."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Runs the program's modules: ``words``, then what Python takes, with these variables."""

    words: tuple[str, ...]
    variables: Mapping[str, str]


def environment(
    name: str, lock: Path, cache: Path = fetch.CACHE, candidates: Iterable[str] | None = None
) -> Environment:
    """Return what runs the modules of ``lock`` (a requirements file with hashes), installed once in ``cache``.

    ``candidates`` are programs that may be a Python 3.12 or newer; None: those on the PATH and pyenv's. Without one Debian's
    next Python is unpacked. Raises PartMissing where that cannot be had, or the registry cannot be reached.
    """
    python = _newer(_candidates() if candidates is None else candidates) or _debians(cache)
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    site = cache / "python" / f"{name}-{digest}-{python.version}"
    if not (site / "complete").exists():
        shutil.rmtree(site, ignore_errors=True)
        _install(name, lock, site, python.version)
        (site / "complete").touch()
    return Environment(python.words, {"PYTHONPATH": str(site)})


def _newer(candidates: Iterable[str]) -> Interpreter | None:
    for program in candidates:
        asked = subprocess.run([program, "-c", _ASK], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            path, _, version = asked.stdout.strip().rpartition(" ")
            return Interpreter((path,), version)
    return None


def _candidates() -> Iterator[str]:
    """Yield programs that may be a newer Python: on the PATH, and where pyenv keeps its own."""
    yield from (found for name in _PYTHONS if (found := shutil.which(name)))
    kept = Path.home() / ".pyenv" / "versions"
    yield from (str(found) for found in sorted(kept.glob("3.1[2-9]*/bin/python3"), reverse=True))


def _debians(cache: Path) -> Interpreter:
    root = fetch.debian(_DEBIANS, "sid", cache)
    libraries = next((found.parent for found in root.rglob("libc.so.6")), None)
    loader = next((found for found in root.rglob("ld-linux*.so.*")), None)
    if libraries is None or loader is None:
        raise PartMissing(_DEBIANS[0], "Debian's packages hold no C library", "install python3.12")
    python = root / "usr" / "bin" / "python3.13"
    return Interpreter((str(loader), "--library-path", str(libraries), str(python)), "3.13")


def _install(name: str, lock: Path, site: Path, version: str) -> None:
    argv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--no-build"]
    argv += ["--python", sys.executable, "--python-version", version, "--target", str(site), "-r", str(lock)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["uv failed"]
        raise PartMissing(name, reason[0][:200], "see that the package registry can be reached")
