"""Gets a training set, and then the same features online: python demo.py [URL]."""

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

    done = store.materialize_incremental()
    rows = sum(view["rows"] for view in done["views"])
    print(f"\nThe online store is up to date: {len(done['views'])} views, {rows:,} rows in {done['seconds']:.1f} s")

    user, zone = frame["user_id"].iloc[0], "America/New_York"
    online = store.get_online_features("feed_v1", entities={"user_id": user}, request={"user_timezone": zone})
    asked = pd.DataFrame({"user_id": [user], "user_timezone": [zone]})
    offline = store.get_historical_features(asked, features="feed_v1", at=online.evaluated_at).to_pandas()
    served = online.to_pandas()
    print(f"User {user} at {online.evaluated_at:%Y-%m-%d %H:%M:%S.%f}, offline and online:")
    print(pd.DataFrame({"offline": offline[served.columns].iloc[0], "online": served.iloc[0]}).to_string())
    assert offline[served.columns].equals(served), "both paths agree"


if __name__ == "__main__":
    main()
