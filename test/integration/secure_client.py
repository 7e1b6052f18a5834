"""The Python client through TLS with tokens: python secure_client.py URL CA_FILE TOKENS_JSON."""

import json
import sys
from datetime import datetime

import featherflight as ff
import pyarrow as pa

url, ca, tokens = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
frame = pa.table({
    "user_id": pa.array([1], pa.int64()),
    "item_id": ["item 4"],
    "event_timestamp": pa.array([datetime.fromisoformat("2026-03-01T00:00:00+00:00")], pa.timestamp("us", tz="UTC")),
})


def outcome(work):
    """`done`, or the code of the error."""
    try:
        work()
    except ff.FeatherflightError as raised:
        return raised.code
    return "done"


def connect(name, **options):
    token = tokens.get(name)
    return ff.connect(url, token=token, tls_root_certs=ca, timeout=60, **options)


def train(store, feature):
    return store.get_historical_features(frame, [feature]).to_arrow().column(feature.split(":")[1]).to_pylist()


def ask(store, feature):
    entities = {"user_id": [1]} if feature.startswith("user") else {"item_id": ["item 4"]}
    return store.get_online_features([feature], entities).to_dict()[feature.split(":")[1]]


with connect("admin") as store:
    assert store.server_info()["http"]["tls"] is True
    store.materialize_incremental()
    assert ask(store, "user_profile:age") == train(store, "user_profile:age") == [30]
    written = {"item_id": ["new"], "price": [1.5], "sold": [2], "event_timestamp": ["2026-01-02T00:00:00Z"]}
    assert store.write_to_online_store("item_stats", written)["written"] == 1

with connect("items") as store:
    assert ask(store, "item_stats:sold") == train(store, "item_stats:sold") == [4]
    assert outcome(lambda: ask(store, "user_profile:age")) == "PERMISSION_DENIED"
    assert outcome(lambda: train(store, "user_profile:age")) == "PERMISSION_DENIED"
    assert outcome(lambda: store.write_to_online_store("item_stats", written)) == "PERMISSION_DENIED"
    assert outcome(store.materialize_incremental) == "PERMISSION_DENIED"
    assert outcome(lambda: store.push("profiles", {"user_id": [1]})) == "PERMISSION_DENIED"

for name in ["expired", "foreign", "nobody"]:
    assert outcome(lambda name=name: connect(name)) == "UNAUTHENTICATED", name
# A token that ends while a store is open: both doors say so.
with connect("revoked") as store:
    assert ask(store, "item_stats:sold") == [4]
    with connect("admin") as other:
        other._transport.action("revoke_token", {"id": tokens["revoked"].split("_")[1]})
    assert outcome(lambda: ask(store, "item_stats:sold")) == "UNAUTHENTICATED"
    assert outcome(lambda: train(store, "item_stats:sold")) == "UNAUTHENTICATED"

# Whom nothing vouches for is not told the token.
assert outcome(lambda: ff.connect(url, token=tokens["admin"], timeout=5)) == "UNAVAILABLE"
plain = url.replace("grpc+tls", "grpc")
assert outcome(lambda: ff.connect(plain, token=tokens["admin"], timeout=5)) == "UNAVAILABLE"
assert outcome(lambda: ff.connect(url, tls_root_certs="nowhere.pem")) == "INVALID_ARGUMENT"
with ff.connect(url, token=tokens["admin"], tls_verify=False, timeout=60) as store:
    assert ask(store, "item_stats:sold") == [4]
named = url.replace("127.0.0.1", "localhost")
with ff.connect(named, token=tokens["admin"], tls_root_certs=open(ca, "rb").read(), timeout=60) as store:
    assert ask(store, "item_stats:sold") == [4]
print("done")
