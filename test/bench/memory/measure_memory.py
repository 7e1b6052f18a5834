"""Reads a large training set batch by batch: `measure_memory.py FOLDER FRAME_ROWS KEYS`.

When the first batch comes, how much memory the server ever took, and whether the client's stays flat.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import featherflight as ff
import numpy as np
import pandas as pd
import pyarrow as pa
from bench_server import running_server
from compare import REFS, check_equal, make_frame
from measure import verdict
from peers import polars_join

MIB = 1024 * 1024
FIRST_BAR, SERVER_BAR_MIB = 0.25, 2048


@dataclass
class Reading:
    """One answer read: seconds since the request was made, and the client's memory after each batch in MiB."""

    planned: float
    first: float
    whole: float
    client: list[float]
    bytes: int


def memory_of(pid: int | str) -> tuple[float, float]:
    """Resident memory of a process now and at its peak, in MiB."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


@contextmanager
def sampled_peak(pid: int) -> Iterator[list[float]]:
    """While the block runs, samples the resident memory of a process every 50 ms; the list's only item is the greatest."""
    peak = [0.0]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            peak[0] = max(peak[0], memory_of(pid)[0])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def read(store: ff.FeatureStore, frame: pd.DataFrame, data: Path) -> Reading:
    """Reads every batch and keeps none; the first and the last are compared with Polars."""
    started = time.perf_counter()
    job = store.get_historical_features(frame, features=REFS, full_feature_names=True)
    planned = time.perf_counter() - started
    first, rows, client, last, begin = 0.0, 0, [], None, None
    for batch in job.to_batches():
        first = first or time.perf_counter() - started
        begin = begin or batch
        last = batch
        rows += batch.num_rows
        client.append(memory_of("self")[0])
    whole = time.perf_counter() - started
    if rows != len(frame):
        raise SystemExit(f"{rows} rows came of {len(frame)}")
    for part, batch in ((frame[: begin.num_rows], begin), (frame[-last.num_rows :], last)):
        check_equal(pa.Table.from_batches([batch]), polars_join(part.reset_index(drop=True), data), "our answer")
    return Reading(planned, first, whole, client, job.report.bytes)


def show(what: str, reading: Reading, peak: float) -> None:
    """Prints what the bars are about."""
    share = reading.first / reading.whole
    stream = (reading.first - reading.planned) / (reading.whole - reading.planned)
    print(f"  {what}: {reading.bytes / 1e6:.0f} MB in {len(reading.client)} batches, whole {reading.whole:.1f} s")
    print(
        f"    upload and plan {reading.planned:.2f} s, first batch after {reading.first:.2f} s: {share:.3f} of the whole "
        f"(of the stream alone {stream:.3f}); {verdict(share, FIRST_BAR, at_most=True)}"
    )
    settled = np.median(reading.client[5:25])
    print(
        f"    client: {settled:.0f} MiB after the first batches, at most {max(reading.client):.0f}, "
        f"{reading.client[-1]:.0f} at the end (growth {max(reading.client) - settled:+.0f})"
    )
    print(f"    server: at most {peak:.0f} MiB while it answered")


def main(folder: Path, rows: int, keys: int) -> None:
    """Measures and prints."""
    frame = make_frame(rows, keys)
    print(f"\n{rows:,} entity rows")
    with running_server(folder, fresh=True) as server, ff.connect(server.url, progress=False) as store:
        print(f"  server before the first request: {memory_of(server.pid)[0]:.0f} MiB")
        for what in ("first request", "repeat"):
            with sampled_peak(server.pid) as peak_now:
                reading = read(store, frame, folder / "data")
            show(what, reading, peak_now[0])
        peak = memory_of(server.pid)[1]
        print(f"  server's peak (VmHWM) {peak:.0f} MiB; {verdict(peak, SERVER_BAR_MIB, at_most=True)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
