"""Times a training set through the running server beside Polars and DuckDB: `compare.py FOLDER FRAME_ROWS KEYS ROUNDS`.

Each round starts a new server without any state, asks once (the first request over the sources), then repeats in turns
with the peers. Every answer is compared with Polars', value by value.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from pathlib import Path

import featherflight as ff
import make_data
import numpy as np
import pandas as pd
import pyarrow as pa
from bench_server import running_server
from measure import median_ratio, ratio, seconds, timed, verdict, wait_for_quiet
from peers import PEERS

REPEATS = 4
BARS = {100_000: 0.7, 1_000_000: 1.0}
FIRST_BAR = 2.0
REFS = [f"{view}:{name}" for view in make_data.VIEWS for name in make_data.FEATURES]


def make_frame(rows: int, keys: int) -> pd.DataFrame:
    """An entity frame in no order."""
    rng = np.random.default_rng(99)
    times = make_data.START_US + rng.integers(0, make_data.YEAR_US, rows)
    return pd.DataFrame(
        {
            "user_id": rng.integers(0, keys, rows),
            "event_timestamp": pd.to_datetime(times, unit="us", utc=True),
            "label": rng.integers(0, 2, rows),
        }
    )


def check_equal(answer: pa.Table, expected: pa.Table, who: str) -> None:
    """Raises where the answers differ: a fast wrong answer is worth nothing."""
    if answer.column_names != expected.column_names:
        raise SystemExit(f"{who} has columns {answer.column_names}, Polars {expected.column_names}")
    for name in expected.column_names:
        mine = answer.column(name).combine_chunks()
        if not mine.equals(expected.column(name).combine_chunks().cast(mine.type)):
            raise SystemExit(f"{who} and Polars differ in column {name}: the times mean nothing")


def main(folder: Path, rows: int, keys: int, rounds: int) -> None:
    """Measures and prints."""
    data = folder / "data"
    frame = make_frame(rows, keys)
    expected = PEERS["polars"](frame, data)
    for who, peer in PEERS.items():
        check_equal(peer(frame, data), expected, who)
    polars = [who for who in PEERS if who.startswith("polars")]
    slow = [who for who in PEERS if who not in polars]
    first: dict[str, list[float]] = defaultdict(list)
    repeat: dict[str, list[float]] = defaultdict(list)
    stages: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        wait_for_quiet()
        with running_server(folder, fresh=True) as server, ff.connect(server.url, progress=False) as store:

            def ours(store: ff.FeatureStore = store) -> tuple[pa.Table, dict[str, float]]:
                upload, job = timed(
                    lambda: store.get_historical_features(frame, features=REFS, full_feature_names=True)
                )
                stream, table = timed(job.to_arrow)
                report = job.report
                return table, {
                    "upload and plan": upload,
                    "first batch on the server": report.first_batch_seconds,
                    "whole on the server": report.total_seconds,
                    "answer read": stream,
                }

            def ask(times: dict[str, list[float]], where: str, ours=ours) -> None:
                took, (table, parts) = timed(ours)
                times["ours"].append(took)
                for part, value in parts.items():
                    stages[f"{where}: {part}"].append(value)
                check_equal(table, expected, f"our {where} answer")

            ask(first, "first")
            for who in polars:
                first[who].append(timed(lambda who=who: PEERS[who](frame, data))[0])
            for _ in range(REPEATS):
                wait_for_quiet()
                ask(repeat, "repeat")
                for who in polars:
                    repeat[who].append(timed(lambda who=who: PEERS[who](frame, data))[0])
        if number < 2:
            for who in slow:
                first[who].append(timed(lambda who=who: PEERS[who](frame, data))[0])
    show(rows, polars, slow, first, repeat, stages)


def show(rows, polars, slow, first, repeat, stages) -> None:
    """Prints medians, ratios and whether the bars are met."""
    print(f"\n{rows:,} entity rows")
    print(f"  ours, first request             {seconds(first['ours'])}")
    print(f"  ours, repeat                    {seconds(repeat['ours'])}")
    for who in polars:
        print(f"  {who:<31} {seconds(first[who] + repeat[who])}")
    for who in slow:
        print(f"  {who:<31} {seconds(first[who])}")
    for kind, times, bar in (("first", first, FIRST_BAR), ("repeat", repeat, BARS.get(rows, 1.0))):
        for who in polars:
            judged = verdict(median_ratio(times["ours"], times[who]), bar, at_most=True)
            print(f"  {kind:<6} / {who:<16} {ratio(times['ours'], times[who])}; {judged}")
    for stage, values in stages.items():
        print(f"    {stage:<36} {statistics.median(values):.3f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(text) for text in sys.argv[2:5]))
