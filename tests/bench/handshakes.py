"""200 TLS handshakes a second with nginx, HAProxy and Caddy in turn, while the certificate is renewed every 0.2 s."""

import time
from pathlib import Path

from tests.bench.figures import aim, percentile, table
from tests.handshakes import Load, context
from tests.serving import NAME, SERVERS, Serving

RATE, SECONDS, EACH = 200.0, 15.0, 0.2
NEARLY = 0.95
"""Part of the rate that has to come about; the client is Python on the same machine."""


def bench(folder: Path) -> bool:
    """Print what came about at each server; tell whether the aims hold."""
    found = {}
    for server, start in SERVERS.items():
        place = folder / server
        place.mkdir()
        with start(place) as serving:
            found[server] = _measured(serving)
    rows = [(server, *row) for server, (row, _, _) in found.items()]
    table(("", "renewals", "handshakes", "a second", "p50 ms", "p99 ms", "failed", "wrong"), rows)
    slowest = min(rate for _, rate, _ in found.values())
    bad = sum(bad for _, _, bad in found.values())
    held = [
        aim(f"{RATE:.0f} handshakes a second at each server", holds=slowest >= RATE * NEARLY),
        aim("none failed, and none showed another certificate than that of the moment", holds=not bad),
    ]
    return all(held)


def _measured(serving: Serving) -> tuple[tuple[object, ...], float, int]:
    """Return the row of the table, the rate, and how many handshakes were not right."""
    deployed = [serving.renew()]
    with Load(context(serving.mint.root), serving.port, NAME, RATE) as load:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(EACH)
            deployed.append(serving.renew())
    wrong = load.wrong(deployed, serving.lag)
    times = [(one.ended - one.began) * 1000 for one in load.shown]
    row = (
        f"{len(deployed) - 1}",
        f"{len(load.shown):,}",
        f"{load.per_second:.0f}",
        f"{percentile(times, 0.5):.1f}",
        f"{percentile(times, 0.99):.1f}",
        len(load.failed),
        len(wrong),
    )
    return row, load.per_second, len(load.failed) + len(wrong)
