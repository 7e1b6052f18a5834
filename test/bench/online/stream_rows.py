"""Reads a training set of the online benchmark over Flight again and again: `stream_rows.py URL ROWS ENTITIES`.

Uploads the frame once, says `ready`, then streams until its standard input ends; says how many whole answers came, and how fast.
"""

from __future__ import annotations

import select
import sys
import time

import featherflight as ff
import numpy as np
import pandas as pd
from make_data import VIEWS, feature_names

REFS = [f"{view}:{name}" for view, key in VIEWS.items() if key == "user_id" for name in feature_names(view)]


def main(url: str, rows: int, entities: int) -> None:
    """Streams."""
    rng = np.random.default_rng(7)
    now_us = time.time_ns() // 1000
    times = now_us - rng.integers(0, 10 * 86_400_000_000, rows)
    frame = pd.DataFrame(
        {"user_id": rng.integers(0, entities, rows), "event_timestamp": pd.to_datetime(times, unit="us", utc=True)}
    )
    answers, got, started = 0, 0, 0.0
    with ff.connect(url, progress=False) as store:
        while True:
            job = store.get_historical_features(frame, features=REFS)
            if started == 0.0:
                started = time.perf_counter()
                print("ready", flush=True)
            for batch in job.to_batches():
                got += batch.num_rows
                if select.select([sys.stdin], [], [], 0)[0]:
                    took = time.perf_counter() - started
                    print(f"{answers} whole answers of {rows:,} rows, {got / took:,.0f} rows a second", flush=True)
                    return
            answers += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
