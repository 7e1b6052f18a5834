from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import featherflight as ff
from stand_in_server import StandInServer

AGE = ["user_profile:age"]


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


def test_the_identity_stays_with_the_table_and_the_file(store: ff.Store, frame: pd.DataFrame, tmp_path: Path) -> None:
    job = store.get_historical_features(frame, AGE)
    job.to_parquet(tmp_path / "out.parquet")
    for schema in (pq.read_schema(tmp_path / "out.parquet"), job.to_arrow().schema):
        assert (schema.metadata or {})[b"featherflight.identity"] == b"0123456789abcdef0123"


def test_an_empty_frame_gives_an_empty_table_of_the_right_schema(store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame.head(0), AGE)
    assert job.to_arrow().num_rows == 0
    assert job.to_arrow().schema == job.schema
    assert job.to_pandas().dtypes["event_timestamp"] == frame.dtypes["event_timestamp"]
    assert job.to_polars().height == 0


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
    assert max(map(len, text.splitlines())) <= 85
    assert "out of range" not in text
    outside = dataclasses.replace(report, features=(dataclasses.replace(feature, out_of_range=3),))
    assert "out of range" in str(outside)
    assert "out of range" in outside._repr_html_()
    assert outside.to_pandas()["out_of_range"].tolist() == [3]
    assert "age" in text
    assert "50.0%" in text
    assert "<table>" in report._repr_html_()
    assert report.to_pandas()["nulls"].tolist() == [1249]
    reason = ff.InvalidReason(reason="vocabulary", column="kind", events=1200)
    assert report.events == (ff.EventReport(view="activity", source="clicks", invalid=1200, reasons=(reason,)),)
    assert "reproducible; 1,200 invalid events of activity count nowhere" in " ".join(text.split())


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
