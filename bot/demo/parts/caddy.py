"""Caddy as an edge that asks for the certificate of each handshake (`get_certificate http`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, port_open


@dataclass
class Caddy(Part):
    """A running Caddy on 127.0.0.1."""

    https_port: int
    process: Running

    @classmethod
    def start(cls, folder: Path, https_port: int, configuration: str) -> Self:
        """Run with this Caddyfile, whose listener is `https_port`. Raises PartMissing, PartFailed."""
        program, libraries = installed()
        (folder / "Caddyfile").write_text(configuration)
        words: list[str | Path] = [
            *(program, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile")
        ]
        env = {**libraries, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        ready = port_open(https_port)
        return cls(https_port, Running.start("Caddy", words, log=folder / "caddy.log", ready=ready, env=env))

    def stop(self) -> None:
        """End it."""
        self.process.stop()


def installed(cache: Path = fetch.CACHE) -> tuple[Path, dict[str, str]]:
    """Return Caddy and the variables it needs; fetched if it is not on the PATH. Raises PartMissing."""
    if found := fetch.program("caddy"):
        return found, {}
    root = fetch.debian(["caddy"], cache=cache)
    if found := fetch.program("caddy", root):
        return found, {}
    raise PartMissing("Caddy", "its package holds no caddy", "install caddy")
