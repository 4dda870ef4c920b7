"""BIND 9: Debian's, unpacked, else the one on the PATH, on loopback addresses, as an ordinary user or as root."""

import base64
import os
import re
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartFailed, PartMissing
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, free_port, port_open, wait_until


@dataclass(frozen=True)
class TsigKey:
    """A key that signs updates (RFC 8945); `secret` is base64."""

    name: str = "certdesk."
    secret: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    algorithm: str = "hmac-sha256"


@dataclass(frozen=True)
class Bind(Part):
    """A running name server; start another, on another address, for a second one."""

    addresses: tuple[str, ...]
    port: int
    key: TsigKey
    folder: Path
    process: Running
    _rndc: Path
    _env: Mapping[str, str]
    _control_port: int

    @classmethod
    def start(
        cls,
        folder: Path,
        zones: Mapping[str, str],
        *,
        addresses: Sequence[str] = ("127.0.0.1",),
        port: int | None = None,
        key: TsigKey | None = None,
        options: str = "",
        cache: Path = fetch.CACHE,
    ) -> Self:
        """Answer with authority for `zones` (origin -> master file text) and take updates signed with `key`.

        `options` is added to named.conf's options. Raises PartMissing, PartFailed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        named, rndc, env = _programs(cache)
        listen, control = port or free_port(addresses[0]), free_port()
        key = key or TsigKey()
        (folder / "rndc.key").write_text(_key_text(key))
        for origin, text in zones.items():
            _zone_file(folder, origin).write_text(text)
        (folder / "zones.conf").write_text("".join(_zone_text(origin, key) for origin in zones))
        (folder / "named.conf").write_text(_config(folder, addresses, listen, control, key, options))
        process = Running.start(
            "BIND",
            [named, "-g", "-n", "1", "-c", folder / "named.conf"],
            log=folder / "named.log",
            ready=port_open(listen, addresses[0]),
            env=env,
        )
        process.wait_for(lambda: "all zones loaded" in process.log.read_text())
        return cls(tuple(addresses), listen, key, folder, process, rndc, env, control)

    def reload_zone(self, origin: str, text: str) -> None:
        """Let `text` be the zone from now on, whatever updates have made of it; a new zone is added.

        Returns when it is served, which a record of the zone's own, _loaded, tells.
        """
        mark = secrets.token_hex(8)
        content = f'{text}\n_loaded.{origin}. 0 TXT "{mark}"\n'
        known = _zone_file(self.folder, origin).exists()
        if not known:
            self._add_zone(origin, content)
        served = self._given if known else self._served
        wait_until(lambda: served(origin, content, mark), 20, f"BIND's zone {origin}")

    def _add_zone(self, origin: str, content: str) -> None:
        _zone_file(self.folder, origin).write_text(content)
        with (self.folder / "zones.conf").open("a") as zones:
            zones.write(_zone_text(origin, self.key))
        self._control("reconfig")

    def _given(self, origin: str, content: str, mark: str) -> bool:
        """Give the zone once, and tell whether it is served soon after.

        BIND goes on when it is told to freeze: the zone it then still writes down may be put over the one that is given.
        """
        file = _zone_file(self.folder, origin)
        self._control("freeze", origin)
        file.write_text(content)
        newer = time.time() + 1  # a file that is not newer than what it has written itself is passed over
        os.utime(file, (newer, newer))
        self._control("thaw", origin)
        deadline = time.monotonic() + 1
        while not (served := self._served(origin, content, mark)) and time.monotonic() < deadline:
            time.sleep(0.01)
        return served

    def _served(self, origin: str, _content: str, mark: str) -> bool:
        query = dns.message.make_query(f"_loaded.{origin}.", "TXT")
        try:
            answer = dns.query.udp(query, self.addresses[0], timeout=2, port=self.port)
        except dns.exception.Timeout:
            return False
        return any(mark in record.to_text() for rrset in answer.answer for record in rrset)

    def _control(self, *words: str) -> None:
        done = subprocess.run(
            [
                self._rndc,
                "-s",
                "127.0.0.1",
                "-p",
                str(self._control_port),
                "-k",
                self.folder / "rndc.key",
                *words,
            ],
            env={**self._env},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PartFailed("BIND", f"rndc {' '.join(words)}: {done.stderr.strip()}")

    def stop(self) -> None:
        """End it."""
        self.process.stop()


def _programs(cache: Path) -> tuple[Path, Path, dict[str, str]]:
    """named, rndc and the variables they need.

    The unpacked one comes first: a system's named may be confined (AppArmor) to the system's folders.
    """
    root: Path | None
    try:
        root = fetch.debian(["bind9", "bind9-utils"], cache=cache)
    except PartMissing:
        if not fetch.program("named"):
            raise
        root = None
    named, rndc = fetch.program("named", root), fetch.program("rndc", root)
    if not named or not rndc:
        raise PartMissing("BIND", "its packages hold no named or no rndc", "install bind9 and bind9-utils")
    return named, rndc, {"LD_LIBRARY_PATH": fetch.library_path(root)} if root else {}


def _zone_file(folder: Path, origin: str) -> Path:
    return folder / f"{re.sub(r'[^a-z0-9._-]', '_', origin.rstrip('.').lower()) or 'root'}.zone"


def _zone_text(origin: str, key: TsigKey) -> str:
    name = origin.rstrip(".") or "."
    file = _zone_file(Path(), origin)
    return f'zone "{name}" {{ type primary; file "{file}"; allow-update {{ key "{key.name}"; }}; }};\n'


def _key_text(key: TsigKey) -> str:
    return f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n'


def _config(
    folder: Path, addresses: Sequence[str], port: int, control: int, key: TsigKey, options: str
) -> str:
    v4 = "".join(f"{address}; " for address in addresses if ":" not in address) or "none; "
    v6 = "".join(f"{address}; " for address in addresses if ":" in address) or "none; "
    return f"""
options {{
    directory "{folder}";
    listen-on port {port} {{ {v4}}};
    listen-on-v6 port {port} {{ {v6}}};
    pid-file none;
    session-keyfile none;
    recursion no;
    dnssec-validation no;
    empty-zones-enable no;
    allow-query {{ any; }};
    notify no;
    minimal-responses no;
    {options}
}};
{_key_text(key)}
controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ "{key.name}"; }}; }};
include "zones.conf";
"""
