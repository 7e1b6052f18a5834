from __future__ import annotations

import gc
import json
import threading
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import featherflight as ff
from conftest import make_frame
from featherflight import _transport
from stand_in_server import StandInServer

AGE = ["user_profile:age"]


def wait_until(condition: Any, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_every_output_has_every_row(store: ff.Store, frame: pd.DataFrame, tmp_path: Path) -> None:
    job = store.get_historical_features(frame, AGE)
    table = job.to_arrow()
    assert table.schema == job.schema
    assert table.column_names == [*frame.columns, "age"]
    assert table.column("age").to_pylist() == [None if key % 2 else key * 2 for key in range(2500)]
    assert job.to_pandas().equals(job.to_df())
    assert job.to_polars()["age"].to_list() == table.column("age").to_pylist()
    assert job.to_batches().read_all() == table
    job.to_parquet(tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet") == table
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_the_first_read_is_kept_and_batches_stream_anew(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame
) -> None:
    job = store.get_historical_features(frame, AGE)
    assert server.faults.streams == 0
    job.to_pandas()
    job.to_polars()
    assert job.to_arrow() is job.to_arrow()
    assert server.faults.streams == 1
    assert [batch.num_rows for batch in job.to_batches()] == [1000, 1000, 500]
    assert server.faults.streams == 2


def test_threads_share_one_read(server: StandInServer, store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame, AGE)
    threads = [threading.Thread(target=job.to_arrow) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.faults.streams == 1


def test_parquet_streams_when_nothing_is_kept(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame, tmp_path: Path
) -> None:
    job = store.get_historical_features(frame, AGE, batch_rows=100)
    job.to_parquet(str(tmp_path / "out.parquet"))
    assert job.report.rows == 2500
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 4
    assert pq.read_table(tmp_path / "out.parquet") == job.to_arrow()
    assert server.faults.streams == 2


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


def test_a_stream_that_breaks_raises_the_servers_error(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame, tmp_path: Path
) -> None:
    job = store.get_historical_features(frame, AGE)
    server.faults.break_after_batches = 2
    for read in (job.to_arrow, job.to_pandas, job.to_polars, lambda: job.to_parquet(tmp_path / "out.parquet")):
        with pytest.raises(ff.AbortedError, match="the source changed"):
            read()  # type: ignore[operator]
    assert list(tmp_path.iterdir()) == []
    reader = job.to_batches()
    assert reader.read_next_batch().num_rows == 1000
    assert reader.read_next_batch().num_rows == 1000
    with pytest.raises(ff.AbortedError):
        reader.read_next_batch()
    server.faults.break_after_batches = None
    assert job.to_arrow().num_rows == 2500


@pytest.mark.parametrize(
    "fault", [{"drop_rows": 1}, {"drop_report": True}, {"drop_report": True, "unknown_total": True}]
)
def test_an_answer_that_ends_early_is_data_loss(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame, tmp_path: Path, fault: dict[str, Any]
) -> None:
    for name, value in fault.items():
        setattr(server.faults, name, value)
    job = store.get_historical_features(frame, AGE)
    with pytest.raises(ff.DataLossError, match="not whole"):
        job.to_pandas()
    with pytest.raises(ff.DataLossError):
        job.to_parquet(tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ff.DataLossError):
        list(job.to_batches())
    with pytest.raises(ff.FailedPreconditionError, match="report comes with the last row"):
        _ = job.report


def test_data_loss_reaches_whoever_reads_through_the_c_interface(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame
) -> None:
    server.faults.drop_rows = 1
    job = store.get_historical_features(frame, AGE)
    with pytest.raises(Exception, match="not whole"):
        pl.from_arrow(job.to_batches())


def test_an_unknown_total_is_checked_against_the_report(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame
) -> None:
    server.faults.unknown_total = True
    job = store.get_historical_features(frame, AGE)
    assert job.rows is None
    assert job.to_arrow().num_rows == 2500
    server.faults.drop_rows = 1
    with pytest.raises(ff.DataLossError, match="2,499 of 2,500"):
        list(job.to_batches())


def test_an_upload_the_server_did_not_take_whole_is_data_loss(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame
) -> None:
    server.faults.short_upload = True
    with pytest.raises(ff.DataLossError, match="2499 of 2500 entity rows"):
        store.get_historical_features(frame, AGE)


def test_an_expired_upload_is_sent_again(server: StandInServer, store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame, AGE)
    frame.loc[0, "label"] = 99.0
    server.faults.forget_uploads = True
    assert job.to_pandas()["label"][0] == 0.5
    server.faults.forget_uploads = True
    assert job.to_batches().read_all().num_rows == 2500
    assert len(server.faults.commands) == 3


def test_an_expired_upload_from_a_stream_says_so(server: StandInServer, store: ff.Store, frame: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(frame)
    job = store.get_historical_features(table.to_reader(), AGE)
    server.faults.forget_uploads = True
    with pytest.raises(ff.NotFoundError, match="only once"):
        job.to_arrow()


def test_definitions_that_change_under_a_job_are_named(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame
) -> None:
    job = store.get_historical_features(frame, AGE)
    server.faults.forget_uploads = True
    server.faults.change_schema = True
    with pytest.raises(ff.FailedPreconditionError, match="definitions changed"):
        job.to_arrow()


def test_an_answer_of_other_columns_is_refused(server: StandInServer, store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame, [*AGE, "user_profile:score"])
    server.faults.change_answer = True
    for read in (job.to_arrow, lambda: list(job.to_batches())):
        with pytest.raises(ff.FailedPreconditionError, match="definitions changed"):
            read()


def test_the_identity_stays_with_the_table_and_the_file(store: ff.Store, frame: pd.DataFrame, tmp_path: Path) -> None:
    job = store.get_historical_features(frame, AGE)
    job.to_parquet(tmp_path / "out.parquet")
    for schema in (pq.read_schema(tmp_path / "out.parquet"), job.to_arrow().schema):
        assert (schema.metadata or {})[b"featherflight.identity"] == b"0123456789abcdef0123"


def test_a_path_is_read_by_the_server(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame.to_parquet(tmp_path / "frame.parquet")
    job = store.get_historical_features(tmp_path / "frame.parquet", AGE)
    assert job.to_pandas()["user_id"].dtype == np.dtype("int64")
    assert "upload" not in server.faults.commands[0]
    with pytest.raises(ff.NotFoundError, match="no file"):
        store.get_historical_features(str(tmp_path / "none.parquet"), AGE)


def test_an_empty_frame_gives_an_empty_table_of_the_right_schema(store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame.head(0), AGE)
    assert job.to_arrow().num_rows == 0
    assert job.to_arrow().schema == job.schema
    assert job.to_pandas().dtypes["event_timestamp"] == frame.dtypes["event_timestamp"]
    assert job.to_polars().height == 0


def test_cancel_from_another_thread_ends_the_read(server: StandInServer, store: ff.Store) -> None:
    server.faults.wait_seconds = 20
    job = store.get_historical_features(make_frame(5000), AGE)
    threading.Timer(0.3, job.cancel).start()
    started = time.monotonic()
    with pytest.raises(ff.CancelledError):
        job.to_arrow()
    assert time.monotonic() - started < 3
    wait_until(lambda: server.faults.cancelled_queries == [job._plan.query])
    with pytest.raises(ff.CancelledError, match="call get_historical_features again"):
        job.to_pandas()
    assert "cancelled" in repr(job)


def test_cancel_keeps_an_answer_that_was_read(store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame, AGE)
    job.to_arrow()
    job.cancel()
    assert job.to_pandas().shape == (2500, 4)


def test_leaving_a_stream_stops_it(server: StandInServer, store: ff.Store) -> None:
    job = store.get_historical_features(make_frame(200_000), AGE, batch_rows=100)
    reader = job.to_batches()
    reader.read_next_batch()
    assert server.faults.active == 1
    del reader
    gc.collect()
    wait_until(lambda: server.faults.active == 0)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "featherflight-answer"])


def test_an_interrupt_comes_through_while_the_server_computes(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults.wait_seconds = 20
    job = store.get_historical_features(frame, AGE)
    import _thread

    threading.Timer(0.3, _thread.interrupt_main).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        job.to_arrow()
    assert time.monotonic() - started < 3
    wait_until(lambda: server.faults.active == 0)


def test_reading_ahead_is_bounded(server: StandInServer, store: ff.Store) -> None:
    job = store.get_historical_features(make_frame(10_000), AGE, batch_rows=100)
    stream = store._transport.get(job._plan.ticket)
    wait_until(lambda: len(stream._waiting) == _transport._READ_AHEAD_BATCHES)
    time.sleep(0.2)
    assert len(stream._waiting) == _transport._READ_AHEAD_BATCHES
    assert sum(1 for _ in stream) == 100


def test_the_report_prints_and_converts(store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame, AGE)
    job.to_arrow()
    report = job.report
    assert (report.rows, report.total_seconds, report.identity, report.reproducible) == (
        2500,
        1.25,
        "0123456789abcdef0123",
        True,
    )
    (feature,) = report.features
    assert (feature.present, feature.null_value, feature.not_found, feature.defaults) == (1250, 1, 1249, 1)
    assert feature.nulls == 1249
    text = str(report)
    assert "2,500 rows in 1.2 s, the first after 0.011 s; 12.3 kB in 3 batches" in text
    assert "age" in text
    assert "50.0%" in text
    assert "<table>" in report._repr_html_()
    assert report.to_pandas()["nulls"].tolist() == [1249]


def test_the_job_shows_its_columns(store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame, AGE)
    assert repr(job).startswith("training set of 2,500 rows and 4 columns, ready to be read")
    assert "age" in repr(job)
    assert "int32" in job._repr_html_()
    assert job.rows == 2500


def test_statuses_come_back(store: ff.Store, frame: pd.DataFrame) -> None:
    out = store.get_historical_features(frame, AGE, statuses=True).to_pandas()
    assert list(out.columns[-4:]) == ["age", "age__status", "age__event_timestamp", "age__is_default"]
    assert out["age__is_default"].dtype == np.dtype(bool)
