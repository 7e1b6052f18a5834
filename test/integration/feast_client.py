"""A stock Feast client against our server: reads, writes and pushes through RemoteOnlineStore. Prints what it got as JSON."""

import json
import os
import sys
import tempfile
from datetime import timedelta

import pandas as pd
from feast import (
    Entity,
    FeatureService,
    FeatureStore,
    FeatureView,
    Field,
    FileSource,
    PushSource,
    RepoConfig,
    ValueType,
)
from feast.data_source import PushMode
from feast.errors import FeastError
from feast.types import Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp


def open_store(url: str, directory: str) -> FeatureStore:
    config = RepoConfig(
        project="shop",
        provider="local",
        registry=os.path.join(directory, "registry.db"),
        online_store={"type": "remote", "path": url},
        offline_store={"type": "dask"},
        entity_key_serialization_version=3,
        auth={"type": "oidc", "token": sys.argv[2]},
    )
    return FeatureStore(config=config)


def define(store: FeatureStore, directory: str) -> None:
    path = os.path.join(directory, "profiles.parquet")
    now = pd.Timestamp.now("UTC")
    pd.DataFrame({"user_id": [1], "at": [now], "made": [now]}).to_parquet(path)
    source = FileSource(name="profiles_file", path=path, timestamp_field="at", created_timestamp_column="made")
    user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
    schema = [
        Field(name="user_id", dtype=Int64),
        Field(name="age", dtype=Int32),
        Field(name="visits", dtype=Int64),
        Field(name="score", dtype=Float64),
        Field(name="ratio", dtype=Float32),
        Field(name="city", dtype=String),
        Field(name="since", dtype=UnixTimestamp),
        Field(name="active", dtype=Bool),
    ]
    push = PushSource(name="profiles", batch_source=source)
    view = FeatureView(name="visitor", entities=[user], ttl=timedelta(0), schema=schema, source=push, online=True)
    # Another view's name that the server does not know.
    nope = FeatureView(name="nope", entities=[user], ttl=timedelta(0), schema=schema[:2], source=source, online=True)
    store.apply([user, source, push, view, nope, FeatureService(name="visitors", features=[view[["age", "score"]]])])


def attempt(work) -> str:
    try:
        return repr(work())
    except FeastError as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    url = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(url, directory)
        define(store, directory)
        features = [f"visitor:{name}" for name in ("age", "visits", "score", "ratio", "city", "since", "active")]

        def read(keys, names=features, **options):
            rows = {"user_id": keys}
            return store.get_online_features(features=names, entity_rows=rows, **options)

        got = {"read": read([1, 9007199254740993, 4]).to_dict(include_event_timestamps=False)}
        got["full"] = list(read([1], features[:1], full_feature_names=True).to_dict())
        got["service"] = attempt(lambda: read([1], store.get_feature_service("visitors")).to_dict())
        proto = read([1, 3, 4], features[:1]).proto
        got["statuses"] = [int(status) for status in proto.results[1].statuses]
        when = pd.Timestamp("2026-03-01T12:00:00.000005Z")
        frame = pd.DataFrame(
            {
                "user_id": pd.array([21, 22], dtype="int64"),
                "age": pd.array([51, None], dtype="Int32"),
                "visits": pd.array([2**53 + 1, 6], dtype="int64"),
                "score": [0.25, None],
                "ratio": pd.array([0.1, 0.2], dtype="float32"),
                "city": ["Bern", None],
                "since": [when, when],
                "active": [True, False],
                "at": [when, when],
                "made": [when, when],
            }
        )
        store.write_to_online_store("visitor", frame)
        got["written"] = read([21, 22]).to_dict(include_event_timestamps=False)
        frame["user_id"] += 10
        store.push("profiles", frame, to=PushMode.ONLINE)
        got["pushed"] = read([31], features[:2]).to_dict(include_event_timestamps=False)
        got["unknown"] = attempt(lambda: read([1], ["nope:age"]))
        got["key"] = attempt(lambda: read(["x"]))
        got["nobody"] = attempt(lambda: open_without_token(url, directory))
        print(json.dumps(got, default=str))


def open_without_token(url: str, directory: str):
    sys.argv[2] = "ff_none"
    return open_store(url, directory).get_online_features(
        features=["visitor:age"], entity_rows={"user_id": [1]}
    )


main()
