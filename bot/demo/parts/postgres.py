"""PostgreSQL: an installed one, else Debian's, unpacked; on loopback, with a cluster of its own that goes with it."""

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartFailed, PartMissing
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, free_port

_USER = "certdesk"
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off", "max_connections=200")


@dataclass(frozen=True)
class Postgres(Part):
    """A running server with an empty database; only who knows the password of `url` gets in."""

    host: str
    port: int
    password: str
    process: Running
    _binaries: Path
    _env: dict[str, str]
    _home: tempfile.TemporaryDirectory[str]

    @classmethod
    def start(cls, folder: Path, *, port: int | None = None, cache: Path = fetch.CACHE) -> Self:
        """Make a cluster and start it, its log in `folder`. Raises PartMissing, PartFailed.

        The cluster lies in the system's folder for temporary files: as root, PostgreSQL has to run as an
        ordinary user, who cannot go everywhere, and the path of its socket has to be short.
        """
        folder.mkdir(parents=True, exist_ok=True)
        binaries, env = _find(cache)
        with contextlib.ExitStack() as stack:
            home = tempfile.TemporaryDirectory(prefix="certdesk-pg-")
            stack.callback(home.cleanup)
            owner = _owner()
            if owner:
                os.chown(home.name, *owner)
                binaries, env = _reachable(binaries, env, Path(home.name), owner)
            password = secrets.token_urlsafe(16)
            port = port or free_port()
            _initdb(binaries, Path(home.name), password, env, owner)
            words: list[str | Path] = [binaries / "postgres", "-D", Path(home.name, "data")]
            places = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={home.name}")
            for setting in (*places, *_FAST):
                words += ["-c", setting]
            process = Running.start(
                "PostgreSQL", words, log=folder / "postgres.log", cwd=Path(home.name), env=env, user=owner
            )
            server = cls("127.0.0.1", port, password, process, binaries, env, home)
            stack.enter_context(server)
            process.wait_for(server._answers)
            stack.pop_all()  # it runs: from here on its owner stops it
        return server

    def _answers(self) -> bool:
        return self._psql("SELECT 1").returncode == 0

    def _psql(self, statement: str) -> "subprocess.CompletedProcess[str]":
        address = ["-h", self.host, "-p", str(self.port), "-U", _USER, "-d", "postgres"]
        return subprocess.run(
            [self._binaries / "psql", *address, "-X", "-q", "-w", "-c", statement],
            env={**os.environ, **self._env, "PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "2"},
            capture_output=True,
            text=True,
            check=False,
        )

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://{_USER}:{self.password}@{self.host}:{self.port}/{database}"

    @property
    def url(self) -> str:
        """The address of the first database, for SQLAlchemy."""
        return self._url("postgres")

    def new_database(self) -> str:
        """Return the address of a new, empty database."""
        name = f"certdesk_{secrets.token_hex(4)}"
        done = self._psql(f"CREATE DATABASE {name}")
        if done.returncode:
            raise PartFailed("PostgreSQL", done.stderr.strip())
        return self._url(name)

    def stop(self) -> None:
        """End it and remove its cluster."""
        if self.process.alive:
            self.process.signal(2)  # SIGINT is its fast shutdown: it does not wait for its clients
        self.process.stop()
        self._home.cleanup()


def _owner() -> tuple[int, int] | None:
    """Whom to become: nobody when root, else no one else."""
    if os.getuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _find(cache: Path) -> tuple[Path, dict[str, str]]:
    """Return the folder of initdb and postgres, and the variables they need."""
    installed = [
        path
        for path in Path("/usr/lib/postgresql").glob("*/bin")
        if (path / "initdb").exists() and (path / "psql").exists()
    ]
    if installed:
        return max(installed, key=lambda path: int(path.parent.name)), {}
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent, {}
    root = fetch.debian(["postgresql"], cache=cache)
    unpacked = sorted(root.glob("usr/lib/postgresql/*/bin/initdb"))
    if not unpacked:
        raise PartMissing("PostgreSQL", "its packages hold no initdb", "install postgresql")
    return unpacked[-1].parent, {"LD_LIBRARY_PATH": fetch.library_path(root)}


def _reachable(
    binaries: Path, env: dict[str, str], home: Path, owner: tuple[int, int]
) -> tuple[Path, dict[str, str]]:
    """Return the same programs where `owner` may run them: copied to `home` if they lie in a closed folder."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0"', binaries / "initdb"],
        user=owner[0],
        group=owner[1],
        extra_groups=[],
        check=False,
    )
    if tried.returncode == 0:
        return binaries, env
    root = binaries.parents[4]
    copy = home / "programs"
    without_jit = shutil.ignore_patterns(
        "bitcode", "llvmjit*", "libLLVM*", "libclang*", "locale", "doc", "perl*", "python3*"
    )
    shutil.copytree(root / "usr", copy / "usr", symlinks=True, ignore=without_jit)
    return copy / binaries.relative_to(root), {"LD_LIBRARY_PATH": fetch.library_path(copy)}


def _initdb(
    binaries: Path, home: Path, password: str, env: dict[str, str], owner: tuple[int, int] | None
) -> None:
    secret = home / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if owner:
        os.chown(secret, *owner)
    words: list[str | Path] = [
        "-D",
        home / "data",
        "-U",
        _USER,
        "-A",
        "scram-sha-256",
        "--pwfile",
        secret,
        "-E",
        "UTF8",
    ]
    done = subprocess.run(
        [binaries / "initdb", *words, "--no-locale", "--no-sync", "--no-instructions"],
        cwd=home,
        env={**os.environ, **env},
        user=owner[0] if owner else None,
        group=owner[1] if owner else None,
        extra_groups=[] if owner else None,
        capture_output=True,
        text=True,
        check=False,
    )
    secret.unlink()
    if done.returncode:
        raise PartFailed("PostgreSQL", f"initdb said: {' '.join(done.stderr.split())[-400:]}")
