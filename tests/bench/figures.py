"""What the benches measure with and how they print it: clocks of processes, percentiles, small tables."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Return the processor seconds (user and system, all threads) that a living process has used; see proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Return the resident memory (VmRSS) of a living process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest of ``values`` that ``part`` (0 to 1) of them do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, min(len(ranked) - 1, -int(-part * len(ranked) // 1) - 1))]


def median(values: Sequence[float]) -> float:
    """Return the value in the middle."""
    return percentile(values, 0.5)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a head, the first column to the left and the others to the right."""
    texts = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    for row in texts:
        first, *rest = _padded(row, widths)
        print("  " + "  ".join((first, *rest)).rstrip())
    print(flush=True)


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for column, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield text.rjust(width) if column else text.ljust(width)


def aim(text: str, *, holds: bool) -> bool:
    """Print whether an aim holds, and return it."""
    print(f"  {'holds ' if holds else 'MISSED'}  {text}", flush=True)
    return holds
