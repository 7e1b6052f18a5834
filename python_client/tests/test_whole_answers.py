from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import featherflight as ff
from stand_in_server import StandInServer

AGE = ["user_profile:age"]


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
