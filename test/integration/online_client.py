"""The Python client's online half against a real server: python online_client.py URL."""

import sys
from datetime import date, datetime
from decimal import Decimal

import featherflight as ff
import pandas as pd
import pyarrow as pa

UTC = datetime.fromisoformat("2026-01-01T00:00:00+00:00").tzinfo
store = ff.connect(sys.argv[1])

report = store.materialize_incremental()
assert {view["view"]: view["written"] for view in report["views"]} == {"item_stats": 600, "user_profile": 3}, report
assert store.materialize(["user_profile"], start=datetime(2026, 1, 1, tzinfo=UTC), end="2026-01-02T00:00:00Z")["views"]

names = ["age", "visits", "score", "city", "spent", "since", "born", "token", "active", "path"]
answer = store.get_online_features([f"user_profile:{name}" for name in names], {"user_id": [1, 9007199254740993, 3, 4]})
values = answer.to_dict()
assert values["user_id"] == [1, 9007199254740993, 3, 4]
assert values["visits"] == [5, 9223372036854775807, None, None]
assert values["spent"][:2] == [Decimal("12.50"), Decimal("-0.01")]
assert values["since"][1] == datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)
assert values["born"][0] == date(1990, 2, 3) and values["token"][0] == b"\x00\xff" and values["path"][0] == [1, 2]
assert values["score"][1] != values["score"][1]
assert answer.statuses["age"] == ["PRESENT", "PRESENT", "NULL_VALUE", "NOT_FOUND"]
assert answer.is_default["age"] == [False, False, True, True]
assert answer.event_timestamps["age"][0] == datetime(2026, 1, 1, 0, 0, 0, 1, UTC)
assert answer.evaluated_at.tzinfo is not None

table = answer.to_arrow()
assert table.schema.field("spent").type == pa.decimal128(12, 2) and table.schema.field("path").type == pa.list_(pa.int64())
assert table.schema.field("since").type == pa.timestamp("us", tz="UTC")
frame = answer.to_pandas()
assert str(frame["visits"].dtype) == "Int64" and frame["visits"][1] == 9223372036854775807

ranked = store.get_online_features("ranker", {"user_id": 1, "item_id": ["item 2", "item 4"]}, request={"factor": 2.0})
assert ranked.to_dict()["times_age"] == [60.0, 60.0] and ranked.to_dict()["sold"] == [2, 4]

rows = pd.DataFrame({"user_id": [70], "at": [pd.Timestamp("2026-03-01", tz="Europe/Paris")], "visits": [2**62], "age": [9]})
others = {name: [None] for name in ["made", "ratio", "city", "since", "born", "token", "active"]}
rows = rows.assign(**others, score=[float("nan")], spent=[Decimal("1.10")], path=[[1, 2**60]])
for _ in range(2):
    pushed = store.push("profiles", rows, idempotency_key="once")
served = store.get_online_features(["user_profile:visits", "user_profile:path", "user_profile:spent"], {"user_id": [70]})
assert served.to_dict() == {"user_id": [70], "visits": [2**62], "path": [[1, 2**60]], "spent": [Decimal("1.10")]}

written = pa.table({
    "user_id": pa.array([80, 81], pa.int64()),
    "event_timestamp": pa.array([1_772_000_000_000_001, 1_772_000_000_000_002], pa.timestamp("us", tz="Asia/Tokyo")),
    "age": pa.array([-(2**31), None], pa.int32()),
    "visits": pa.array([-(2**63), 2**53 + 1], pa.int64()),
    "score": pa.array([float("inf"), -0.0], pa.float64()),
    "ratio": pa.array([0.1, None], pa.float32()),
    "city": pa.array(["", None]),
    "spent": pa.array([Decimal("9999999999.99"), None], pa.decimal128(12, 2)),
    "since": pa.array([-1, None], pa.timestamp("us", tz="UTC")),
    "born": pa.array([date(1969, 12, 31), None]),
    "token": pa.array([b"\x00\xff", None]),
    "active": pa.array([False, None]),
    "path": pa.array([[2**62, None], []], pa.list_(pa.int64())),
})
alone = store.write_to_online_store("user_profile", written)
assert (alone["rows"], alone["written"], alone["unchanged"]) == (2, 2, 0), alone
made = written.append_column("created_timestamp", pa.array([2**50, 2**50], pa.timestamp("us", tz="UTC")))
assert store.write_to_online_store("user_profile", made)["unchanged"] == 2
older = written.set_column(1, "event_timestamp", pa.array([0, 0], pa.timestamp("us", tz="UTC")))
assert store.write_to_online_store("user_profile", older)["written"] == 0
read = store.get_online_features([f"user_profile:{name}" for name in [*names, "ratio"]], {"user_id": [80, 81]})
served = read.to_arrow()
for name in [*names, "ratio"]:
    if name != "age":
        assert served[name].to_pylist() == written[name].to_pylist(), (name, served[name], written[name])
assert read.statuses["age"] == ["PRESENT", "NULL_VALUE"] and read.to_dict()["age"] == [-(2**31), -1]
assert str(read.to_dict()["score"][1]) == "-0.0"
assert read.event_timestamps["visits"] == written["event_timestamp"].to_pylist()
training = store.get_historical_features(
    pa.table({"user_id": [80], "event_timestamp": pa.array([1_772_500_000_000_000], pa.timestamp("us", tz="UTC"))}),
    ["user_profile:visits"],
    statuses=True,
)
assert training.to_arrow()["visits__status"].to_pylist() == ["NOT_FOUND"]
small = {"item_id": ["new"], "price": [1.5], "sold": [2], "event_timestamp": [datetime(2026, 1, 2, tzinfo=UTC)]}
assert store.write_to_online_store("item_stats", small)["written"] == 1

for wrong, error, said in [
    (lambda: store.get_online_features(["user_profile:agee"], {"user_id": [1]}), ff.NotFoundError, "age"),
    (lambda: store.get_online_features(["user_profile:age"], {"user_id": ["one"]}), ff.InvalidArgumentError, "one"),
    (lambda: store.push("stock", {"item_id": ["x"]}), ff.FailedPreconditionError, "push: true"),
    (lambda: store.push("profiles", {"at": [datetime(2026, 1, 1)]}), ff.InvalidArgumentError, "zone"),
    (lambda: store.write_to_online_store("item_stat", small), ff.NotFoundError, "item_stats"),
    (lambda: store.write_to_online_store("doubled", {"user_id": [1]}), ff.InvalidArgumentError, "on demand"),
    (lambda: store.write_to_online_store("item_stats", {**small, "sold": [0.5]}), ff.InvalidArgumentError, "sold"),
    (lambda: store.write_to_online_store("item_stats", {**small, "sold": [2**63]}), ff.InvalidArgumentError, "row 0"),
    (lambda: store.write_to_online_store("item_stats", {**small, "cold": [1]}), ff.InvalidArgumentError, '"sold"'),
    (lambda: store.write_to_online_store("item_stats", {"item_id": ["x"]}), ff.InvalidArgumentError, "needs column"),
]:
    try:
        wrong()
    except error as raised:
        assert said in raised.message, raised
    else:
        raise AssertionError(said)
print("done")
