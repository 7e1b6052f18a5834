"""A long dataset: the client's memory over an epoch, and the first batch after a resume: `long_reads.py FOLDER KEYS ROWS ROUNDS`."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from pathlib import Path

import featherflight as ff
import numpy as np
from bench_server import running_server
from compare import create
from measure import verdict, wait_for_quiet

BATCH_ROWS = 4096
SHARES = (0.01, 0.5, 0.99)
GROWTH_BAR_MIB, RESUME_BAR = 64, 1.25


def resident_mib() -> float:
    """Resident memory of this process."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024


def show_memory(dataset: ff.Dataset) -> None:
    """One shuffled epoch that keeps nothing."""
    resident, rows = [], 0
    started = time.perf_counter()
    for batch in dataset.torch(BATCH_ROWS, seed=7):
        rows += batch.rows
        resident.append(resident_mib())
    took = time.perf_counter() - started
    if rows != dataset.rows:
        raise SystemExit(f"{rows} rows came of {dataset.rows}")
    settled, greatest = np.median(resident[10:60]), max(resident)
    size = rows * len(dataset.features) * 4 / 2**20
    print(f"\n{rows:,} rows, {size:,.0f} MiB of numbers, read in {took:.1f} s")
    print(
        f"  client: {settled:.0f} MiB after the first batches, at most {greatest:.0f}, {resident[-1]:.0f} at the end; "
        f"growth {greatest - settled:.0f} MiB, {verdict(greatest - settled, GROWTH_BAR_MIB, at_most=True)}"
    )


def first_batch(dataset: ff.Dataset, epoch: int, position: int) -> float:
    """Seconds from a loaded state to the first batch."""
    batches = dataset.torch(BATCH_ROWS, seed=7)
    batches.load_state_dict({**batches.state_dict(), "epoch": epoch, "position": position})
    gc.collect()
    started = time.perf_counter()
    reading = iter(batches)
    batch = next(reading)
    took = time.perf_counter() - started
    if (batch.epoch, batch.position) != (epoch, position):
        raise SystemExit(f"{batch} came where position {position} of epoch {epoch} was asked for")
    reading.close()
    return took


def show_resume(dataset: ff.Dataset, rounds: int) -> None:
    """Resumes at each place in turn, each round in an epoch that nobody has read."""
    times: dict[float, list[float]] = {share: [] for share in SHARES}
    for number in range(rounds):
        wait_for_quiet()
        for share in SHARES if number % 2 == 0 else SHARES[::-1]:
            times[share].append(first_batch(dataset, number + 1, int(dataset.rows * share)))
    print(f"\n  first batch after a resume (n={rounds})")
    start = statistics.median(times[SHARES[0]])
    for share, taken in times.items():
        line = f"    at {share:.0%}: {statistics.median(taken) * 1000:.0f} ms, best {min(taken) * 1000:.0f} ms"
        if share != SHARES[0]:
            ratio = statistics.median(taken) / start
            line += f"; {ratio:.2f} of that at {SHARES[0]:.0%}, {verdict(ratio, RESUME_BAR, at_most=True)}"
        print(line)


def main(folder: Path, keys: int, rows: int, rounds: int) -> None:
    """Measures and prints."""
    with running_server(folder, fresh=False) as server, ff.connect(server.url, progress=False) as store:
        dataset = create(store, "long", rows, keys, folder)
        show_memory(dataset)
        # More rounds than elsewhere: each is a fraction of a second.
        show_resume(dataset, 3 * rounds)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
