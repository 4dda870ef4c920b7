"""Bench: how long `certdesk run` takes from its start to /health/ready, and what memory it holds when idle."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from bot.demo.parts.errors import PartFailed
from bot.demo.parts.process import free_port, wait_until
from storage.vault import new_key
from tests.bench.figures import aim, median, resident_bytes, table
from tests.bench.world import LOOPBACK, variables

ROUNDS = 5
SECONDS, MEGABYTES = 2.0, 120.0
IDLE = 3.0
"""Seconds after readiness at which memory is read: the first round of every loop is over by then."""
SLACK = {
    "SLACK__BOT_TOKEN": "xoxb-bench",
    "SLACK__SIGNING_SECRET": "bench-signing-secret",
    "SLACK__API_URL": f"http://{LOOPBACK}:9/api/",
}
VARIANTS: Mapping[str, Mapping[str, str]] = {"terminal only": {}, "Slack over HTTP": SLACK}


def bench(folder: Path) -> bool:
    """Start each variant on a used database, its code compiled as pip leaves it; print the table; tell whether the aims hold."""
    for name, more in VARIANTS.items():
        _start(folder / name, more)  # makes the database and the bytecode
    found = {name: [_start(folder / name, more) for _ in range(ROUNDS)] for name, more in VARIANTS.items()}
    rows = []
    for name, starts in found.items():
        times, sizes = [seconds for seconds, _ in starts], [size for _, size in starts]
        rows.append((name, f"{median(times):.2f} s", f"{max(times):.2f} s", f"{median(sizes) / 1e6:.0f} MB"))
    table((f"certdesk run, median of {ROUNDS}", "start to ready", "slowest", "resident when idle"), rows)
    slowest = max(median([seconds for seconds, _ in starts]) for starts in found.values())
    largest = max(median([size for _, size in starts]) for starts in found.values()) / 1e6
    held = (
        aim(f"ready within {SECONDS:g} s: {slowest:.2f} s", holds=slowest < SECONDS),
        aim(f"under {MEGABYTES:g} MB when idle: {largest:.0f} MB", holds=largest < MEGABYTES),
    )
    return all(held)


def _start(folder: Path, more: Mapping[str, str]) -> tuple[float, int]:
    """Start certdesk once; return the seconds until it was ready and its resident bytes when idle."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.yaml").write_text("{}\n")
    port = free_port()
    settings = variables(
        {
            "CONFIG": str(folder / "app.yaml"),
            "DATABASE__URL": f"sqlite:///{folder / 'certdesk.db'}",
            "HTTP__LISTEN": f"{LOOPBACK}:{port}",
            "VAULT__KEY": new_key(),
            **more,
        }
    )
    own = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    compiled = {"PYTHONPYCACHEPREFIX": str(folder.parent / "bytecode")}
    with (folder / "certdesk.log").open("ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bot", "run"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**own, **compiled, **settings},
        )
    try:
        wait_until(lambda: _ready(port, process), 30, "certdesk is ready")
        seconds = time.monotonic() - began
        time.sleep(IDLE)
        return seconds, resident_bytes(process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _ready(port: int, process: "subprocess.Popen[bytes]") -> bool:
    if process.poll() is not None:
        raise PartFailed("certdesk", f"it ended with status {process.returncode}")
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False
