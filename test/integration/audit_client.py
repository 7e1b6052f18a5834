"""The audit log from Python against a real server: python audit_client.py URL."""

import sys

import featherflight as ff

store = ff.connect(sys.argv[1])
store.materialize_incremental(["item_stats"])
store.erase("user", {"user_id": 1})
store.lift_erasure("user", {"user_id": 1})

acts = store.audit()
assert [act["action"] for act in acts][:3] == [
    "lift_erasure",
    "erase",
    "materialize",
], acts
assert acts[2]["names"] == ["item_stats"] and acts[2]["outcome"] == "done"
assert acts[acts.names[1]]["details"]["erased_at"] == acts[0]["details"]["erased_at"]

text, page = str(acts), acts._repr_html_()
assert text.splitlines()[0].split()[:4] == ["at", "action", "names", "outcome"], text
assert "600 rows" in text and acts.names[0] not in text, text
assert "<table>" in page and f"{len(acts)} acts" in page

frame = acts.to_pandas()
assert str(frame["at"].dtype) == "datetime64[us, UTC]"
assert list(frame["door"])[:3] == ["flight", "flight", "http"], frame["door"]
assert acts.to_arrow().num_rows == len(acts)

assert len(store.audit(limit=1)) == 1
assert {act["action"] for act in store.audit(action="erase", limit=None)} == {"erase"}
assert len(store.audit(name="item_stats", caller="anonymous")) == 1
assert str(store.audit(end="2020-01-01T00:00:00Z")) == "no acts yet"
assert store.audit(start=acts[0]["at"]).names == acts.names[:1]
try:
    store.audit(action="look")
except ff.InvalidArgumentError as error:
    assert "apply" in str(error), error
else:
    raise AssertionError("there is no such action")
print("done")
