"""How fast a pull target answers: one process with a listener over SQLite, asked from another one, while renewals go on.

`python -m tests.bench.pull serve FOLDER` is the process that is asked.
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from bot.pull import PullListener
from services.deployment.answers import Answers
from services.deployment.pull import PullSettings, PullTarget
from services.model.certificates import Certificate
from storage.database import Database
from storage.vault import Vault
from tests.bench.figures import aim, percentile, table
from tests.minted import Mint

NAMES, ASKED, CLIENTS, OFFERED = 200, 30_000, 8, 3500
RENEWALS_EACH = 0.1
"""Seconds between two renewals that are published meanwhile."""
AIM_RATE, AIM_P99 = 3000, 5.0


def serve(folder: Path) -> None:
    """Publish, print the port, and renew one name after the other until the standard input ends."""
    storage, vault, mint = Database.open(f"sqlite:///{folder}/bench.db"), Vault((bytes(32),)), Mint()
    settings = PullSettings("127.0.0.1:0")
    target = PullTarget("bench", settings, storage)

    def publish(number: int) -> None:
        made, key = mint.revision(f"shop{number % NAMES}.test", f"*.shop{number % NAMES}.test")
        revision = replace(made, sealed_key=vault.seal(key.encode(), made.key_binding))
        with storage.write() as tx:
            tx.certificates.put_revision(revision)
        target.deploy(revision, key)

    with storage.write() as tx:
        tx.certificates.add(Certificate("cert_1", "moon", "moon.test", ("moon.test",), mint.now, mint.now))
    for number in range(NAMES):
        publish(number)
    listener = PullListener("bench", settings, Answers("bench", storage, vault, time.monotonic))
    listener.start()
    ended = threading.Event()
    threading.Thread(target=_until_closed, args=(ended,), daemon=True).start()
    print(json.dumps({"port": listener.port}), flush=True)
    number = NAMES - 1
    while not ended.wait(RENEWALS_EACH):
        number += 1
        publish(number)
    listener.stop()
    storage.close()


def _until_closed(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def bench(folder: Path) -> bool:
    """Print rate and times; tell whether the aims hold."""
    words = [sys.executable, "-m", "tests.bench.pull", "serve", str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        port = json.loads(child.stdout.readline())["port"]
        asyncio.run(_load(port, NAMES * 2))  # each key is read once
        loads = {"as fast as it goes": 0.0, f"{OFFERED:,} a second": CLIENTS / OFFERED}
        found = {what: _measured(port, each) for what, each in loads.items()}
        child.stdin.close()
    table(
        (f"{ASKED:,} answers", "a second", "p50 ms", "p99 ms", "most ms", "wrong"),
        [(what, *one.shown()) for what, one in found.items()],
    )
    fast, paced = found.values()
    held = [
        aim(f"at least {AIM_RATE:,} answers a second in one process", holds=fast.rate >= AIM_RATE),
        aim(f"p99 under {AIM_P99:g} ms at {OFFERED:,} a second", holds=paced.p99 < AIM_P99),
        aim("no wrong answer", holds=not fast.wrong + paced.wrong),
    ]
    return all(held)


@dataclass(frozen=True)
class _Measured:
    rate: float
    times: list[float]
    wrong: int

    @property
    def p99(self) -> float:
        """Milliseconds."""
        return percentile(self.times, 0.99) * 1000

    def shown(self) -> tuple[object, ...]:
        p50, most = percentile(self.times, 0.5) * 1000, max(self.times) * 1000
        return f"{self.rate:,.0f}", f"{p50:.2f}", f"{self.p99:.2f}", f"{most:.1f}", self.wrong


def _measured(port: int, each: float) -> _Measured:
    began = time.perf_counter()
    times, wrong = asyncio.run(_load(port, ASKED, each))
    return _Measured(ASKED / (time.perf_counter() - began), times, wrong)


async def _load(port: int, count: int, each: float = 0.0) -> tuple[list[float], int]:
    """Ask ``count`` times from `CLIENTS` connections, every ``each`` seconds or at once after the former answer.

    Returns the seconds of each answer, and how many were wrong.
    """
    clients = (_client(port, count // CLIENTS, first, each) for first in range(CLIENTS))
    found = await asyncio.gather(*clients)
    return [time for times, _ in found for time in times], sum(bad for _, bad in found)


async def _client(port: int, count: int, first: int, each: float) -> tuple[list[float], int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times, bad = [], 0
    start = time.perf_counter() + each * first / CLIENTS
    for number in range(count):
        due = start + number * each if each else time.perf_counter()
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        kind = ("shop%d.test", "www.shop%d.test", "shop%d.example")[number % 3]
        name = kind % ((first * 31 + number * 7) % NAMES)
        began = time.perf_counter()
        writer.write(f"GET /?server_name={name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        body = b""
        if head.startswith(b"HTTP/1.1 200"):
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
        times.append(time.perf_counter() - began)
        right = head.startswith(b"HTTP/1.1 204") if number % 3 == 2 else b"PRIVATE KEY" in body
        bad += not right
    writer.close()
    return times, bad


if __name__ == "__main__":
    serve(Path(sys.argv[2]))
