"""Times a training set through the running server beside Feast: `beside_feast.py FOLDER FRAME_ROWS KEYS FEAST_PYTHON LIMIT_SECONDS`.

Feast runs in its own Python with a time limit; what it cannot do in that time, or not at all, is printed as that.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import featherflight as ff
import pyarrow as pa
from bench_server import running_server
from compare import REFS, check_equal, make_frame
from measure import timed, verdict
from peers import PEERS

BARS = {(100_000, "dask"): 25, (1_000_000, "duckdb"): 25}
NAMES = {"dask": "its default, dask", "duckdb": "its duckdb store"}


def ours(folder: Path, frame, expected: pa.Table) -> tuple[float, float]:
    """Seconds of a first request and the median of three repeats."""
    with running_server(folder, fresh=True) as server, ff.connect(server.url, progress=False) as store:
        times = []
        for _ in range(4):
            took, table = timed(
                lambda: store.get_historical_features(frame, features=REFS, full_feature_names=True).to_arrow()
            )
            check_equal(table, expected, "our answer")
            times.append(took)
    return times[0], statistics.median(times[1:])


def feast(python: str, folder: Path, frame: Path, kind: str, limit: float) -> tuple[float | None, str]:
    """Seconds and what came of it; None for seconds where nothing came."""
    target = folder / f"feast-{kind}.arrow"
    command = [python, Path(__file__).with_name("run_feast.py"), folder, frame, kind, target]
    started = time.perf_counter()
    try:
        done = subprocess.run(
            [str(word) for word in command], check=False, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return None, f"gave up after {limit:.0f} s"
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        killed = f"killed by signal {-done.returncode}; " if done.returncode < 0 else ""
        return None, f"failed after {time.perf_counter() - started:.0f} s: {killed}{last[:200]}"
    return json.loads(done.stdout.strip().splitlines()[-1])["seconds"], str(target)


def describe_answer(target: str, expected: pa.Table) -> str:
    """Whether Feast's rows are ours, in any order: compared after sorting by keys and values."""
    table = pa.ipc.open_file(target).read_all().select(expected.column_names)
    if table.num_rows != expected.num_rows:
        lost = expected.num_rows - table.num_rows
        return f"{table.num_rows:,} rows, {lost:,} fewer than asked for ({lost / expected.num_rows:.1%})"
    import polars as pl

    order = ["user_id", "event_timestamp", "label"]
    mine, theirs = (
        pl.from_arrow(rows).with_columns(pl.col("event_timestamp").cast(pl.Datetime("us", "UTC"))).sort(order)
        for rows in (expected, table)
    )
    wrong = [
        name
        for name in expected.column_names[3:]
        if not mine[name].cast(pl.Float64).equals(theirs[name].cast(pl.Float64).fill_nan(None))
    ]
    return "all rows, the same values" if not wrong else f"all rows, other values in {', '.join(wrong)}"


def main(folder: Path, rows: int, keys: int, python: str, limit: float) -> None:
    """Measures and prints."""
    frame = make_frame(rows, keys)
    expected = PEERS["polars"](frame, folder / "data")
    file = folder / f"frame-{rows}.parquet"
    frame.to_parquet(file)
    print(f"\n{rows:,} entity rows beside Feast")
    for kind in ("dask", "duckdb"):
        first, repeat = ours(folder, frame, expected)
        took, what = feast(python, folder, file, kind, limit)
        if took is None:
            print(f"  Feast, {NAMES[kind]}: {what}; ours {first:.2f} s first, {repeat:.2f} s repeat")
            continue
        print(f"  Feast, {NAMES[kind]}: {took:.1f} s, {describe_answer(what, expected)}")
        print(
            f"    ours {first:.2f} s first: {took / first:.0f} times faster; {repeat:.2f} s repeat: {took / repeat:.0f} times"
        )
        if (bar := BARS.get((rows, kind))) is not None:
            print(f"    first: {verdict(took / first, bar, at_most=False)}")
            print(f"    repeat: {verdict(took / repeat, bar, at_most=False)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], float(sys.argv[5]))
