"""Times windows over history through the running server beside Polars and DuckDB: `compare.py FOLDER FRAME_ROWS ROUNDS`.

Every peer runs once. Then each round starts a new server without any state, asks once (the first request, which reads and
sorts the events), and repeats in turns with the fastest peer. All answers are compared value by value.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from pathlib import Path

import featherflight as ff
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from bench_server import running_server
from make_data import FEATURES, FUNCTIONS, WINDOWS
from measure import median_ratio, ratio, seconds, timed, verdict, wait_for_quiet
from peers import PEERS

REPEATS = 2
BAR = 1.2
# One window a function, each of the three in turn; and every function in every window.
TEN = tuple(f"{name}_{list(WINDOWS)[at % len(WINDOWS)]}" for at, name in enumerate(FUNCTIONS))
SETS = {"10 aggregates, one window each of three": TEN, "10 aggregates in each of three windows": FEATURES}


def make_frame(rows: int, data: Path) -> pd.DataFrame:
    """Rows at the instants of events, in no order: what comes right before the event that is to be predicted."""
    events = pq.read_table(data / "events.parquet", columns=["user_id", "event_time"])
    rng = np.random.default_rng(99)
    taken = events.take(pa.array(rng.integers(0, events.num_rows, rows)))
    return pd.DataFrame(
        {
            "user_id": taken.column("user_id").to_numpy(),
            "event_timestamp": pd.to_datetime(pc.cast(taken.column("event_time"), pa.int64()).to_numpy(), unit="us", utc=True),
            "label": rng.integers(0, 2, rows),
        }
    )


def check_equal(answer: pa.Table, expected: pa.Table, who: str) -> None:
    """Raises where the answers differ: floats by more than rounding, everything else at all. The standard deviations of
    Polars' running sums have lost digits to subtraction, which ours and DuckDB's have not.
    """
    if answer.column_names != expected.column_names:
        raise SystemExit(f"{who} has columns {answer.column_names}, the other {expected.column_names}")
    for name in expected.column_names:
        mine, other = answer.column(name).combine_chunks(), expected.column(name).combine_chunks()
        other = other.cast(mine.type)
        same = mine.equals(other)
        if not same and pa.types.is_floating(mine.type):
            same = mine.is_null().equals(other.is_null()) and np.allclose(
                mine.fill_null(0), other.fill_null(0), rtol=1e-9, atol=1e-3 if "spread" in name else 1e-9
            )
        if not same:
            raise SystemExit(f"{who} differs in column {name}: the times mean nothing")


def main(folder: Path, rows: int, rounds: int) -> None:
    """Measures and prints."""
    frame = make_frame(rows, folder / "data")
    for what, features in SETS.items():
        compare(folder, frame, what, features, rounds)


def compare(folder: Path, frame: pd.DataFrame, what: str, features: tuple[str, ...], rounds: int) -> None:
    """One set of features."""
    data = folder / "data"
    peers = {who: lambda peer=peer: peer(frame, data, features) for who, peer in PEERS.items()}
    times: dict[str, list[float]] = defaultdict(list)
    stages: dict[str, list[float]] = defaultdict(list)
    expected = peers["polars"]()
    for who, peer in peers.items():
        wait_for_quiet()
        took, answer = timed(peer)
        times[who].append(took)
        check_equal(answer, expected, who)
    fastest = min(peers, key=lambda who: times[who][0])
    for _ in range(rounds):
        with running_server(folder, fresh=True) as server, ff.connect(server.url, progress=False) as store:

            def ask(where: str, store: ff.FeatureStore = store) -> None:
                def whole():
                    job = store.get_historical_features(frame, features=[f"activity:{name}" for name in features])
                    return job.to_arrow(), job.report

                wait_for_quiet()
                took, (table, report) = timed(whole)
                times[where].append(took)
                stages[f"{where}: whole on the server"].append(report.total_seconds)
                check_equal(table, expected, f"our {where} answer")

            ask("first")
            for _ in range(REPEATS):
                ask("repeat")
                wait_for_quiet()
                times[fastest].append(timed(peers[fastest])[0])
    show(f"{what}, {len(frame):,} rows", peers, times, stages)


def show(what: str, peers, times, stages) -> None:
    """Prints medians, ratios and whether the bar is met."""
    print(f"\n{what}")
    for who in ("first", "repeat", *peers):
        print(f"  {who:<24} {seconds(times[who])}")
    best = min(peers, key=lambda who: statistics.median(times[who]))
    for where in ("first", "repeat"):
        judged = verdict(median_ratio(times[where], times[best]), BAR, at_most=True)
        print(f"  {where:<6} / {best:<15} {ratio(times[where], times[best])}; {judged}")
    for stage, values in stages.items():
        print(f"    {stage:<36} {statistics.median(values):.3f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
