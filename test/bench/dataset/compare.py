"""Samples a second into tensors, ours beside the others': `compare.py FOLDER ROWS ROUNDS PEERS_PYTHON`.

Each side is a process of its own that stays, and reads a whole epoch when its turn comes. Before, each reads one that
is not timed, and says what came: all must have the same numbers. PEERS_PYTHON has mosaicml-streaming and litdata; `-`
where there is none.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import featherflight as ff
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from bench_server import Server, running_server
from measure import cpu_seconds, verdict, wait_for_quiet

HERE = Path(__file__).parent
WORKERS = (0, 2)
DENSE_BAR, ROW_WISE_BAR = 1.0, 3.0
OURS, OURS_IN_ORDER, DENSE, DENSE_IN_ORDER, ROW_WISE, BESIDE = range(6)


@dataclass
class Side:
    """A process that reads epochs, and what came of each, by the number of workers."""

    name: str
    kind: int
    """What it is compared with."""
    process: subprocess.Popen[str]
    epochs: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: {workers: [] for workers in WORKERS})

    def read(self, workers: int, *, check: bool = False) -> dict[str, Any]:
        """One epoch."""
        print(json.dumps({"workers": workers, "check": check}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with status {self.process.wait()}")
        return json.loads(line)

    def rate(self, workers: int) -> float:
        """The median of samples a second."""
        return statistics.median(epoch["rows"] / epoch["seconds"] for epoch in self.epochs[workers])


@contextmanager
def running_side(name: str, kind: int, command: Sequence[object]) -> Iterator[Side]:
    """Starts a side, and ends it by the end of its input."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # What the libraries warn of is theirs, and not about what is measured.
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    try:
        yield Side(name, kind, process)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def make_frame(rows: int, keys: int) -> pd.DataFrame:
    """Each key in turn, after the only event of each."""
    return pd.DataFrame(
        {"user_id": np.arange(rows) % keys, "event_timestamp": pd.Timestamp("2026-01-01", tz="UTC")},
    )


def create(store: ff.FeatureStore, name: str, rows: int, keys: int, folder: Path) -> ff.Dataset:
    """A dataset of all features."""
    names = pq.read_schema(folder / "data" / "numbers.parquet").names[2:]
    return store.create_dataset(name, make_frame(rows, keys), [f"numbers:{column}" for column in names])


def commands(folder: Path, server: Server, dataset: ff.Dataset, peers: str) -> list[tuple[str, int, list[object]]]:
    """Who takes part, with the same rows, and how each is started."""
    parquet = folder / "parquet"
    parquet.mkdir()
    path = parquet / "rows.parquet"
    # As quick to read as Parquet can be: numbers that nothing makes smaller, plain; groups enough for two workers.
    table = dataset.to_arrow(columns=dataset.features)
    pq.write_table(table, path, row_group_size=65_536, compression="none", use_dictionary=False)
    found: list[tuple[str, int, list[object]]] = [
        *(
            (name, kind, [sys.executable, HERE / "read_ours.py", server.url, dataset.reference, how])
            for name, kind, how in (
                ("Featherflight, shuffled", OURS, "shuffled"),
                ("Featherflight, in order", OURS_IN_ORDER, "in-order"),
            )
        ),
        *(
            (name, kind, [sys.executable, HERE / "read_parquet.py", path, how])
            for name, kind, how in (
                ("pyarrow by hand, in order", DENSE_IN_ORDER, "in-order"),
                ("pyarrow by hand, permuted", DENSE, "permuted"),
                ("the same, file read before", BESIDE, "in-memory"),
            )
        ),
    ]
    if peers != "-":
        found += [
            ("mosaicml-streaming", ROW_WISE, [peers, HERE / "read_mosaic.py", path, folder / "mds"]),
            ("litdata on Parquet", ROW_WISE, [peers, HERE / "read_litdata.py", parquet]),
        ]
    return found


def check_same(sides: Sequence[Side], rows: int) -> None:
    """Every side gives every number; this also warms it up."""
    expected: list[int] | None = None
    for side in sides:
        for workers in WORKERS:
            found = side.read(workers, check=True)
            expected = expected if expected is not None else found["sums"]
            if found["rows"] != rows or found["sums"] != expected:
                raise SystemExit(f"{side.name} with {workers} workers gave {found['rows']} rows of {rows}, or others")


def in_turns(sides: Sequence[Side], server: Server, rounds: int) -> None:
    """Who goes first changes each round. Those that read row by row take minutes an epoch, and part in the first alone."""
    for number in range(rounds):
        for workers in WORKERS:
            wait_for_quiet()
            for side in sides if number % 2 == 0 else sides[::-1]:
                if side.kind == ROW_WISE and number > 0:
                    continue
                before = cpu_seconds(server.pid)
                epoch = side.read(workers)
                epoch["server"] = cpu_seconds(server.pid) - before if side.kind in (OURS, OURS_IN_ORDER) else 0.0
                side.epochs[workers].append(epoch)


def show(sides: Sequence[Side], workers: int) -> None:
    """Rates, and ours as a multiple of the others'."""
    print(f"\n  {workers} workers")
    for side in sides:
        epochs = side.epochs[workers]
        rows = epochs[0]["rows"]
        best = max(epoch["rows"] / epoch["seconds"] for epoch in epochs)
        used = statistics.median(epoch["processor"] for epoch in epochs) * 1e6 / rows
        served = statistics.median(epoch["server"] for epoch in epochs) * 1e6 / rows
        beside = f" and {served:.2f} of the server" if served else ""
        print(
            f"    {side.name:<27} {side.rate(workers):11,.0f} samples/s, best {best:11,.0f} (n={len(epochs)}), "
            f"{used:6.2f} us of processor time a sample{beside}"
        )
    of = {kind: [side for side in sides if side.kind == kind] for kind in range(6)}
    for ours, theirs, bar in (
        (of[OURS], of[DENSE] + of[DENSE_IN_ORDER], DENSE_BAR),
        (of[OURS], of[DENSE], DENSE_BAR),
        (of[OURS_IN_ORDER], of[DENSE_IN_ORDER], DENSE_BAR),
        (of[OURS], of[ROW_WISE], ROW_WISE_BAR),
    ):
        if theirs:
            fastest = max(theirs, key=lambda side: side.rate(workers))
            ratio = ours[0].rate(workers) / fastest.rate(workers)
            print(
                f"    {ours[0].name} / {fastest.name}: {ratio:.2f} of the medians; {verdict(ratio, bar, at_most=False)}"
            )


def main(folder: Path, rows: int, rounds: int, peers: str) -> None:
    """Measures and prints."""
    with ExitStack() as running:
        server = running.enter_context(running_server(folder, fresh=True))
        store = running.enter_context(ff.connect(server.url, progress=False))
        dataset = create(store, "dense", rows, rows, folder)
        sides = [running.enter_context(running_side(*side)) for side in commands(folder, server, dataset, peers)]
        check_same(sides, rows)
        in_turns(sides, server, rounds)
        print(f"\n{rows:,} rows of {len(dataset.features)} float32, in batches of 4,096")
        for workers in WORKERS:
            show(sides, workers)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
