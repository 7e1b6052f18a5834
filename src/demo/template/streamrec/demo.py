"""Gets a training set, pushes what a user does right now, and reads it back online and offline: python demo.py [URL]."""

import sys
import time

import featherflight as ff
import pandas as pd

ZONE = "America/New_York"


def main() -> None:
    store = ff.connect(*sys.argv[1:2])
    frame = pd.read_parquet("data/frame.parquet")
    train(store, frame)

    done = store.materialize_incremental()
    rows = sum(view["rows"] for view in done["views"])
    print(f"\nThe online store is up to date: {len(done['views'])} views, {rows:,} rows in {done['seconds']:.1f} s")

    user = int(frame["user_id"].iloc[0])
    online = watch(store, user)
    served = online.to_arrow()
    asked = pd.DataFrame({"user_id": [user], "user_timezone": [ZONE]})
    offline = store.get_historical_features(asked, features="feed_v1", at=online.evaluated_at).to_arrow()
    offline = offline.select(served.column_names)
    print(f"User {user} at {online.evaluated_at:%Y-%m-%d %H:%M:%S.%f}, offline and online:")
    both = {"offline": offline.to_pandas().iloc[0], "online": served.to_pandas().iloc[0]}
    print(pd.DataFrame(both).to_string())
    assert offline.equals(served), "both paths agree"


def train(store: ff.Store, frame: pd.DataFrame) -> None:
    """The rows of the frame with features, each as of its own time."""
    print(f"The entity frame, {len(frame):,} rows:\n{frame.head(3).to_string()}\n")
    job = store.get_historical_features(frame, features="ranker_v1")
    training = job.to_pandas()

    new = [name for name in training.columns if name not in frame.columns]
    print(f"The same rows in the same order, with {len(new)} features as of each row's time:")
    first = training.head(2)
    minutes = first["event_timestamp"].dt.strftime("%Y-%m-%d %H:%M")
    print(first.assign(event_timestamp=minutes).T.to_string(header=False))
    assert training[frame.columns].equals(frame), "the frame's own columns come back unchanged"
    print(f"\n{job.report}")


def watch(store: ff.Store, user: int) -> ff.OnlineResponse:
    """Pushes two minutes of a user's visit that end now; gives the answer that has them all."""

    def ask() -> ff.OnlineResponse:
        return store.get_online_features("feed_v1", entities={"user_id": user}, request={"user_timezone": ZONE})

    events = visit(user)
    store.push("clicks", events)
    pushed = time.monotonic()
    print(f"Pushed {len(events)} events of user {user}, the last of this moment", end=" ", flush=True)
    newest = events["event_timestamp"].max()
    while (online := ask()).event_timestamps["session_duration_sec"][0] != newest:
        if time.monotonic() - pushed > 60:
            raise SystemExit("they were not served within a minute")
        time.sleep(0.05)
    print(f"- all served {time.monotonic() - pushed:.1f} s later.")
    return online


def visit(user: int) -> pd.DataFrame:
    """One video watched to its end, one left half-way, and one looked at."""
    items = pd.read_parquet("data/items.parquet").head(3)
    seen, liked, left = zip(items["item_id"], items["category"])
    events = [
        (120, "view", *liked, 0.0),
        (115, "click", *liked, 0.0),
        (45, "completion", *liked, 70.0),
        (40, "view", *left, 0.0),
        (36, "click", *left, 12.5),
        (0, "view", *seen, 0.0),
    ]
    columns = ["seconds_ago", "event_type", "item_id", "category", "watch_seconds"]
    rows = pd.DataFrame(events, columns=columns).assign(user_id=user)
    now = pd.Timestamp.now(tz="UTC").floor("us")
    rows["event_timestamp"] = now - pd.to_timedelta(rows.pop("seconds_ago"), unit="s")
    return rows


if __name__ == "__main__":
    main()
