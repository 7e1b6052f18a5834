"""Times, medians and ratios: what is compared ran in turns in one run, so that a slow minute slows both sides."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that `work` took, and what it gave. Garbage of what ran before is collected first."""
    gc.collect()
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of the ratios of neighbours in time, with the least and the greatest."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of neighbours in time."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def verdict(value: float, bar: float, *, at_most: bool) -> str:
    """`met` or `MISSED`, with the bar."""
    met = value <= bar if at_most else value >= bar
    return f"{'met' if met else 'MISSED'}: the bar is {'at most' if at_most else 'at least'} {bar:g}"


def seconds(values: Sequence[float]) -> str:
    """A median in seconds and how many it is of."""
    return f"{statistics.median(values):7.3f} s (n={len(values)})"
