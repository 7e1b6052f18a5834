from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

import featherflight as ff
from stand_in_server import StandInServer

AGE = ["user_profile:age"]


def test_every_option_travels(server: StandInServer, store: ff.Store, frame: pd.DataFrame) -> None:
    store.get_historical_features(
        frame.rename(columns={"event_timestamp": "at_time"}),
        ["user_profile:age", "user_profile:score"],
        full_feature_names=True,
        statuses=True,
        as_known=False,
        timestamp="at_time",
        timezone="Europe/Paris",
        at=datetime(2026, 3, 10, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=1))),
        keys={"user_profile": {"user_id": "user_id"}},
        batch_rows=10,
        compression="zstd",
    )
    (command,) = server.faults.commands
    upload = command.pop("upload")
    assert isinstance(upload, str)
    assert command == {
        "type": "get_historical_features",
        "features": ["user_profile:age", "user_profile:score"],
        "service": None,
        "full_feature_names": True,
        "statuses": True,
        "as_known": False,
        "timestamp": "at_time",
        "timezone": "Europe/Paris",
        "at": "2026-03-10T12:00:00.000005Z",
        "keys": {"user_profile": {"user_id": "user_id"}},
        "batch_rows": 10,
        "compression": "zstd",
    }


def test_requests_fit_the_documented_schema(server: StandInServer, store: ff.Store, frame: pd.DataFrame) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/flight.md").read_text()
    schemas = [json.loads(block.split("```")[0]) for block in page.split("```json\n")[1:]]
    named = {schema["title"]: schema for schema in schemas if "$schema" in schema}
    job = store.get_historical_features(frame, "ranker_v1", at="now")
    store.get_historical_features(frame, AGE, keys={"p": {"user_id": "user_id"}}, compression="lz4", batch_rows=1)
    for command in server.faults.commands:
        jsonschema.validate(command, named["get_historical_features"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            server.faults.commands[0] | {"service": "x", "features": ["a:b"]}, named["get_historical_features"]
        )
    batches = list(store._transport.get(job._plan.ticket))
    jsonschema.validate(json.loads(batches[-1].metadata or b""), named["final app_metadata"])
    for schema in named.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_features_are_a_list_a_service_or_one_name(server: StandInServer, store: ff.Store, frame: pd.DataFrame) -> None:
    store.get_historical_features(frame, "ranker_v1")
    store.get_historical_features(frame, "user_profile:age")
    store.get_historical_features(frame, tuple(AGE))
    asked = [(command["service"], command["features"]) for command in server.faults.commands]
    assert asked == [("ranker_v1", None), (None, AGE), (None, AGE)]
    with pytest.raises(ff.InvalidArgumentError, match="empty list"):
        store.get_historical_features(frame, [])
    with pytest.raises(ff.InvalidArgumentError, match="list with 7"):
        store.get_historical_features(frame, [7])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("at", "wire"),
    [
        ("now", "now"),
        ("2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z"),
        (datetime(999, 1, 2, tzinfo=timezone.utc), "0999-01-02T00:00:00.000000Z"),
        (pd.Timestamp("2026-03-10T12:00:00.123456789Z"), "2026-03-10T12:00:00.123456Z"),
        (pd.Timestamp(-1, unit="ns", tz="UTC"), "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_at_is_an_instant_floored_to_microseconds(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame, at: Any, wire: str
) -> None:
    store.get_historical_features(frame, AGE, at=at)
    assert server.faults.commands[0]["at"] == wire


@pytest.mark.parametrize("at", [datetime(2026, 3, 10), pd.Timestamp("2026-03-10"), date(2026, 3, 10), 5])
def test_at_without_a_zone_is_refused(store: ff.Store, frame: pd.DataFrame, at: Any) -> None:
    with pytest.raises(ff.InvalidArgumentError, match="zone"):
        store.get_historical_features(frame, AGE, at=at)


def test_errors_are_typed_and_raise_with_the_call(store: ff.Store, frame: pd.DataFrame) -> None:
    with pytest.raises(ff.NotFoundError) as caught:
        store.get_historical_features(frame, ["user_profile:agee"])
    assert str(caught.value) == 'unknown feature "user_profile:agee"; did you mean "user_profile:age"?'
    assert caught.value.details["nearest"] == "user_profile:age"
    with pytest.raises(ff.InvalidArgumentError, match='no column "when"'):
        store.get_historical_features(frame, AGE, timestamp="when")
    with pytest.raises(ff.InvalidArgumentError, match="compression"):
        store.get_historical_features(frame, AGE, compression="gzip")
    with pytest.raises(ff.InvalidArgumentError, match="batch_rows"):
        store.get_historical_features(frame, AGE, batch_rows=0)


def test_a_path_is_read_by_the_server(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame.to_parquet(tmp_path / "frame.parquet")
    job = store.get_historical_features(tmp_path / "frame.parquet", AGE)
    assert job.to_pandas()["user_id"].dtype == np.dtype("int64")
    assert "upload" not in server.faults.commands[0]
    with pytest.raises(ff.NotFoundError, match="no file"):
        store.get_historical_features(str(tmp_path / "none.parquet"), AGE)
