"""`certdesk bench [NAME…]`: every bench prints a small table and whether its aims hold; exit 1 if one does not."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.demo.parts.errors import PartError
from tests.bench import (
    busy,
    claim,
    fleet,
    handshakes,
    history,
    home,
    isolation,
    issuance,
    preflight,
    pull,
    recall,
    scanning,
    start,
)
from tests.bench.figures import table


@dataclass(frozen=True, slots=True)
class Bench:
    """One line of the table."""

    run: Callable[[Path], bool]
    """Takes an empty folder, prints what it measured, and tells whether the aims hold."""
    about: str


def _claim(_: Path) -> bool:
    """Print what claims cost; there is no aim for them."""
    found = claim.measure()
    rows = [
        (row["due"], f"{row['us']:.0f} us", f"{row['us_small']:.0f} us", f"{row['ratio']:.2f}")
        for row in found["claims"]
    ]
    table(("due", f"of {found['stored']:,} stored", f"of {max(claim.DUE)} stored", "ratio"), rows)
    return True


BENCHES: Mapping[str, Bench] = {
    "start": Bench(start.bench, "start to ready and idle memory of `certdesk run`"),
    "claim": Bench(_claim, "one claim from 100,000 stored certificates"),
    "scan": Bench(scanning.bench, "a scan of 24 pages over TLS: seconds a page"),
    "pull": Bench(pull.bench, "30,000 answers of a pull target, while a certificate is renewed every 0.1 s"),
    "handshakes": Bench(
        handshakes.bench,
        "200 TLS handshakes a second with nginx, HAProxy and Caddy, while a certificate is renewed every 0.2 s",
    ),
    "isolation": Bench(
        isolation.bench, "times of answers about another store's names and nobody's, and look-ups in Slack"
    ),
    "lookups": Bench(isolation.lookups, "look-ups in Slack for 1,000 commands"),
    "fleet": Bench(fleet.bench, "scheduling passes, forecasts and alerts among 100,000 certificates"),
    "home": Bench(
        home.bench,
        "Home tabs of a fleet of 100,000, and /ssl status with a million certificates stored, on both databases",
    ),
    "history": Bench(
        history.bench,
        "/ssl history with a million rows in the audit trail, and what a row costs, on both databases",
    ),
    "recall": Bench(
        recall.bench, "the plan for 10,000 certificates that a CA wants replaced at once, on both databases"
    ),
    "ack": Bench(busy.bench, "2,000 signed slash commands, 50 in flight, while 20 issuances run"),
    "preflight": Bench(preflight.bench, "the checks of 1,000 certificates, beside the same exchanges bare"),
    "issuance": Bench(issuance.bench, "200 certificates through the full lifecycle, beside certbot and lego"),
}
"""Every bench, the shortest first."""


def main(names: list[str]) -> int:
    """Run the benches of these names, or all; return the exit code."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"There is no bench {', '.join(unknown)}. There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    held = [_run(name) for name in names or BENCHES]
    return 0 if all(held) else 1


def _run(name: str) -> bool:
    bench = BENCHES[name]
    print(f"{name}: {bench.about} ({os.cpu_count()} processors)", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="certdesk-bench-") as folder:
        try:
            held = bench.run(Path(folder))
        except PartError as error:
            print(f"  FAILED  {error}")
            held = False
    print(f"  ({time.monotonic() - began:.0f} s)\n", flush=True)
    return held


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
