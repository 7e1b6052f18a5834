"""What every side of the comparison runs: whole epochs on request, each timed and counted where it is read."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from measure import cpu_seconds

BATCH_ROWS = 4096

# From here on: whatever a library prints, it must not come between the answers.
_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

# Of a number of workers: the matrices of its next epoch, batch by batch. Workers stay from epoch to epoch where they can.
Read = Callable[[int], Iterable[torch.Tensor]]


def serve_epochs(read: Read) -> None:
    """Answers each line of JSON with one: `workers`, and `check`, which sums what came, exactly and in any order."""
    for line in sys.stdin:
        print(json.dumps(_run(read, **json.loads(line))), file=_answers, flush=True)


def _run(read: Read, workers: int, check: bool) -> dict[str, object]:
    used = _processor_seconds()
    started = time.perf_counter()
    rows, sums = 0, []
    for matrix in read(workers):
        rows += len(matrix)
        if check:
            sums.append(matrix.view(torch.int32).sum(0, dtype=torch.int64))
    took = time.perf_counter() - started
    total = torch.stack(sums).sum(0).tolist() if check else None
    return {"rows": rows, "seconds": took, "processor": _processor_seconds() - used, "sums": total}


def _processor_seconds() -> float:
    """Of this process, of its workers, and of those that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ended = sum(usage.ru_utime + usage.ru_stime for usage in found)
    tasks = Path("/proc/self/task").glob("*/children")
    return ended + sum(cpu_seconds(int(pid)) for task in tasks for pid in task.read_text().split())
