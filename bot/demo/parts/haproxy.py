"""HAProxy as an edge whose certificates come over its Runtime API."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.demo.parts import fetch
from bot.demo.parts.errors import PartMissing
from bot.demo.parts.part import Part
from bot.demo.parts.process import Running, port_open


@dataclass
class Haproxy(Part):
    """A running HAProxy on 127.0.0.1."""

    https_port: int
    folder: Path
    process: Running

    @classmethod
    def start(cls, folder: Path, https_port: int, configuration: str) -> Self:
        """Run with this configuration, whose listener is `https_port`. Raises PartMissing, PartFailed."""
        program, libraries = installed()
        (folder / "haproxy.cfg").write_text(configuration)
        words: list[str | Path] = [program, "-db", "-f", folder / "haproxy.cfg"]
        log, ready = folder / "haproxy.log", port_open(https_port)
        return cls(https_port, folder, Running.start("HAProxy", words, log=log, ready=ready, env=libraries))

    def stop(self) -> None:
        """End it."""
        self.process.stop(grace=1)


def installed(cache: Path = fetch.CACHE) -> tuple[Path, dict[str, str]]:
    """Return HAProxy and the variables it needs; fetched if it is not on the PATH. Raises PartMissing."""
    if found := fetch.program("haproxy"):
        return found, {}
    root = fetch.debian(["haproxy"], cache=cache)
    if found := fetch.program("haproxy", root):
        return found, {"LD_LIBRARY_PATH": fetch.library_path(root)}
    raise PartMissing("HAProxy", "its package holds no haproxy", "install haproxy")
