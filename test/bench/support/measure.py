"""Times and ratios: what is compared runs in turns in one run, so that a slow minute slows both sides."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that `work` took, and what it gave. Garbage of what ran before is collected first."""
    gc.collect()
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def wait_for_quiet(at_most_seconds: float = float(os.environ.get("BENCH_QUIET_SECONDS", "30")), busy: float = 0.2) -> None:
    """Waits until other work leaves the machine's processors nearly idle, or for as long as it may."""
    deadline = time.monotonic() + at_most_seconds
    while time.monotonic() < deadline:
        before = _processor_ticks()
        time.sleep(0.5)
        used, total = (now - then for now, then in zip(_processor_ticks(), before, strict=True))
        if total == 0 or used / total < busy:
            return


def _processor_ticks() -> tuple[int, int]:
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0, 0
    fields = [int(text) for text in stat.read_text().splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Our median time as a multiple of theirs."""
    return statistics.median(ours) / statistics.median(theirs)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The ratio of medians, and that of the best times, which other work on the machine disturbs least."""
    return f"{median_ratio(ours, theirs):5.2f} of the medians, {min(ours) / min(theirs):5.2f} of the best"


def verdict(value: float, bar: float, *, at_most: bool) -> str:
    """`met` or `MISSED`, with the bar; judged to the two digits that are shown."""
    met = round(value, 2) <= bar if at_most else round(value, 2) >= bar
    return f"{'met' if met else 'MISSED'}: the bar is {'at most' if at_most else 'at least'} {bar:g}"


def seconds(values: Sequence[float]) -> str:
    """The median and the best in seconds, and how many there are."""
    return f"{statistics.median(values):7.3f} s, best {min(values):7.3f} s (n={len(values)})"


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
