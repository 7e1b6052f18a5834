"""Erasure from Python against a real server: python erase_client.py URL."""

import sys

import featherflight as ff

store = ff.connect(sys.argv[1])
BIG = 9007199254740993

store.materialize_incremental(["user_profile"])
asked = {"features": ["user_profile:visits"], "entities": {"user_id": [1, BIG]}}
assert store.get_online_features(**asked).to_dict()["visits"] == [
    5,
    9223372036854775807,
]

report = store.erase("user", {"user_id": BIG})
assert report["online"] == {"keys": 1, "rows": {"user_profile": 1}}, report
assert report["archives"] == [] and report["foreign"][0]["paths"] == [
    "data/users.parquet"
], report
assert store.get_online_features(**asked).statuses["visits"] == ["PRESENT", "NOT_FOUND"]
assert [one["keys"] for one in store.erasures()] == [{"user_id": str(BIG)}]
assert store.materialize_incremental(["user_profile"])["views"][0]["written"] == 0

assert store.lift_erasure("user", {"user_id": BIG}) is True
assert store.lift_erasure("user", {"user_id": BIG}) is False
assert store.erasures() == []
assert store.get_online_features(**asked).statuses["visits"] == ["PRESENT", "NOT_FOUND"]
store.materialize_incremental(["user_profile"])
assert store.get_online_features(**asked).statuses["visits"] == ["PRESENT", "PRESENT"]

for wrong, error, said in [
    (lambda: store.erase("usr", {"user_id": 1}), ff.NotFoundError, "user"),
    (lambda: store.erase("user", {"user": 1}), ff.InvalidArgumentError, "user_id"),
    (
        lambda: store.erase("user", {"user_id": "one"}),
        ff.InvalidArgumentError,
        "whole number",
    ),
]:
    try:
        wrong()
    except error as raised:
        assert said in raised.message, raised
    else:
        raise AssertionError(said)
print("done")
