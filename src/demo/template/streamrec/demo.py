"""Sends the entity frame to the server and gets it back with features: python demo.py [URL]."""

import sys

import featherflight as ff
import pandas as pd


def main() -> None:
    store = ff.connect(*sys.argv[1:2])
    frame = pd.read_parquet("data/frame.parquet")
    print(f"The entity frame, {len(frame):,} rows:\n{frame.head(3).to_string()}\n")

    job = store.get_historical_features(frame, features="ranker_v1")
    training = job.to_pandas()

    new = [name for name in training.columns if name not in frame.columns]
    print(f"The same rows in the same order, with {len(new)} features as of each row's time:")
    first = training.head(3)
    print(first.assign(event_timestamp=first["event_timestamp"].dt.strftime("%Y-%m-%d %H:%M")).T.to_string(header=False))
    assert training[frame.columns].equals(frame), "the frame's own columns come back unchanged"
    print(f"\n{job.report}")


if __name__ == "__main__":
    main()
