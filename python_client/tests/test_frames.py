from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pandas.testing
import polars as pl
import polars.testing
import pyarrow as pa
import pytest

import featherflight as ff
from conftest import make_frame
from stand_in_server import FEATURES, StandInServer

ALL = list(FEATURES)
AGE = ["user_profile:age"]


def rich_pandas(rows: int) -> pd.DataFrame:
    frame = make_frame(rows)
    numbers = list(range(rows))
    return frame.assign(
        text=pd.Series([None if i % 3 == 0 else f"t{i}" for i in numbers], dtype="str"),
        text_object=pd.Series([None if i % 3 == 0 else f"t{i}" for i in numbers], dtype=object),
        nan_object=pd.Series([float("nan") if i % 3 == 0 else f"t{i}" for i in numbers], dtype=object),
        nullable=pd.array([None if i % 2 else i for i in numbers], dtype="Int64"),
        small=pd.array([None if i % 2 else i % 100 for i in numbers], dtype="UInt8"),
        flag=pd.array([None if i % 2 else True for i in numbers], dtype="boolean"),
        plain_flag=[i % 2 == 0 for i in numbers],
        nullable_float=pd.array([None if i % 2 else 0.5 for i in numbers], dtype="Float64"),
        floats=[float("nan") if i % 2 else 0.5 for i in numbers],
        half=np.array(numbers, dtype="float32"),
        category=pd.Categorical(["b" if i % 2 else "a" for i in numbers], categories=["z", "b", "a"], ordered=True),
        category_null=pd.Categorical([None if i % 2 else "a" for i in numbers]),
        category_int=pd.Categorical([i % 3 for i in numbers], categories=[2, 1, 0]),
        nanoseconds=pd.Series(np.array(numbers, dtype="datetime64[ns]")),
        seconds=pd.Series(np.array(numbers, dtype="datetime64[s]")),
        paris=pd.Series(pd.to_datetime(numbers, unit="s", utc=True)).dt.tz_convert("Europe/Paris"),
        delta=pd.to_timedelta(numbers, unit="s"),
        period=pd.period_range("2026-01", periods=rows, freq="D"),
        interval=pd.interval_range(0, rows),
        arrow=pd.array(numbers, dtype=pd.ArrowDtype(pa.int32())),
        day=[dt.date(2026, 1, 1)] * rows,
        price=[decimal.Decimal("1.50")] * rows,
        items=[[i, i + 1] for i in numbers],
        raw=[b"\x00\xff"] * rows,
    )


@pytest.mark.parametrize(
    "index",
    [
        None,
        pd.RangeIndex(5, 305),
        pd.Index([f"row{i % 7}" for i in range(300)], name="id"),
        pd.MultiIndex.from_arrays([range(300), ["x"] * 300], names=["a", None]),
    ],
)
def test_a_pandas_frame_comes_back_as_it_was(store: ff.Store, index: Any) -> None:
    frame = rich_pandas(300)
    if index is not None:
        frame.index = index
    before = frame.copy(deep=True)
    out = store.get_historical_features(frame, AGE).to_pandas()
    pandas.testing.assert_frame_equal(out[list(frame.columns)], before, check_exact=True)
    pandas.testing.assert_frame_equal(frame, before)
    assert out.columns[-1] == "age"
    assert type(out.loc[out.index[1], "items"] if index is None else out["items"].iloc[1]) is list


def test_pandas_slices_share_one_schema(server: StandInServer, store: ff.Store) -> None:
    frame = make_frame(70_000).assign(late=[None] * 69_000 + ["x"] * 1000)
    frame["category"] = pd.Categorical(np.where(frame.index < 66_000, "a", "b"))
    out = store.get_historical_features(frame, AGE, batch_rows=50_000).to_pandas()
    pandas.testing.assert_frame_equal(out[list(frame.columns)], frame)
    assert server.faults.upload_batches == [65_536, 70_000 - 65_536]


def test_pandas_frames_that_were_joined_together_come_back(store: ff.Store) -> None:
    part = make_frame(3).assign(city=pd.array(["Oslo", None, "Rome"], dtype="string[pyarrow]"))
    frame = pd.concat([part, part.iloc[:2], part], ignore_index=True)
    back = store.get_historical_features(frame, features=["user_profile:age"]).to_pandas()
    pd.testing.assert_frame_equal(back[frame.columns], frame)


def test_pandas_labels_that_are_no_strings_come_back(store: ff.Store) -> None:
    frame = make_frame(3).assign(**{"x": 1}).rename(columns={"x": 7})
    frame.columns.name = "columns"
    out = store.get_historical_features(frame, AGE).to_pandas()
    assert list(out.columns) == [*frame.columns, "age"]
    assert out.columns.name == "columns"


def test_features_get_nullable_types_only_where_they_hold_nulls(store: ff.Store) -> None:
    out = store.get_historical_features(make_frame(10), ALL).to_pandas()
    kinds = {name: str(kind) for name, kind in out.dtypes.items()}
    assert kinds["age"] == "Int32"
    assert kinds["visits"] == "Int64"
    assert kinds["vip"] == "boolean"
    assert kinds["score"] == "float32"
    assert kinds["always"] == "int64"
    assert kinds["country"] in ("str", "object")  # before pandas 3: object
    assert out["visits"].isna().tolist() == [bool(i % 2) for i in range(10)]
    assert out["visits"][8] == 16


def test_int64_beyond_doubles_survives(store: ff.Store) -> None:
    big = 2**62 + 1
    frame = make_frame(2).assign(id=pd.array([big, None], dtype="Int64"))
    assert store.get_historical_features(frame, AGE).to_pandas()["id"][0] == big
    table = pa.table({"user_id": [1, 2], "event_timestamp": frame["event_timestamp"], "id": [big, None]})
    assert store.get_historical_features(table, AGE).to_pandas()["id"][0] == big


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (pd.DataFrame({"a": [1, "x"]}), "Could not convert"),
        (pd.DataFrame({"a": [1j]}), "this pandas frame cannot be sent as Arrow"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than one column named 'a'"),
        (pd.DataFrame({("a", "b"): [1]}), "several levels"),
    ],
)
def test_a_pandas_frame_that_is_no_table_is_refused(store: ff.Store, frame: pd.DataFrame, text: str) -> None:
    with pytest.raises(ff.InvalidArgumentError, match=text):
        store.get_historical_features(frame, AGE)


def rich_polars(rows: int) -> pl.DataFrame:
    numbers = list(range(rows))
    return pl.DataFrame(
        {
            "user_id": pl.Series(numbers, dtype=pl.Int64),
            "event_timestamp": pl.Series([dt.datetime(2026, 3, 10)] * rows).dt.replace_time_zone("UTC"),
            "text": ["longer than twelve bytes" if i % 2 else None for i in numbers],
            "category": pl.Series([f"c{i % 5}" for i in numbers], dtype=pl.Categorical),
            "enumerated": pl.Series(["y" if i % 2 else None for i in numbers], dtype=pl.Enum(["x", "y"])),
            "nanoseconds": pl.Series(numbers, dtype=pl.Datetime("ns")),
            "milliseconds": pl.Series(numbers, dtype=pl.Datetime("ms", "Europe/Paris")),
            "delta": pl.Series(numbers, dtype=pl.Duration("us")),
            "clock": [dt.time(1, 2, 3)] * rows,
            "day": [dt.date(2026, 1, 1)] * rows,
            "price": pl.Series([decimal.Decimal("1.50")] * rows, dtype=pl.Decimal(10, 2)),
            "items": [[i, None] for i in numbers],
            "words": [["a", "bb"] for _ in numbers],
            "pair": pl.Series([[1.0, 2.0]] * rows, dtype=pl.Array(pl.Float32, 2)),
            "struct": [{"a": i, "b": "x"} for i in numbers],
            "raw": [b"\x00\xff"] * rows,
            "small": pl.Series([i % 100 for i in numbers], dtype=pl.UInt8),
            "flag": [None if i % 2 else True for i in numbers],
            "nothing": pl.Series([None] * rows, dtype=pl.Null),
            "floats": [float("nan") if i % 2 else 0.5 for i in numbers],
        }
    )


def test_a_polars_frame_comes_back_as_it_was(server: StandInServer, store: ff.Store) -> None:
    frame = rich_polars(70_000)
    job = store.get_historical_features(frame, AGE)
    out = job.to_polars()
    polars.testing.assert_frame_equal(out.drop("age"), frame)
    assert out.schema["age"] == pl.Int32
    assert server.faults.upload_batches == [65_536, 70_000 - 65_536]
    assert job.schema.field("text").type == pa.large_string()
    assert job.to_pandas()["category"].dtype == "category"


def test_a_polars_lazy_frame_is_collected(store: ff.Store) -> None:
    out = store.get_historical_features(rich_polars(3).lazy(), AGE).to_polars()
    polars.testing.assert_frame_equal(out.drop("age"), rich_polars(3))


def test_a_polars_type_that_arrow_lacks_is_refused(store: ff.Store) -> None:
    with pytest.raises(ff.InvalidArgumentError, match="Polars frame cannot be sent"):
        store.get_historical_features(pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)}), AGE)


def arrow_table(rows: int) -> pa.Table:
    return pa.table(
        {
            "user_id": pa.array(range(rows)),
            "event_timestamp": pa.array([0] * rows, pa.timestamp("us", "UTC")),
            "view": pa.array(["longer than twelve bytes"] * rows, pa.string_view()),
            "views": pa.array([["longer than twelve bytes"]] * rows, pa.list_(pa.string_view())),
            "large": pa.array(["x"] * rows, pa.large_string()),
            "codes": pa.array(["x"] * rows).dictionary_encode(),
            "flag": pa.array([True, None] * (rows // 2)),
        },
    ).replace_schema_metadata({"mine": "kept"})


@pytest.mark.parametrize("kind", ["table", "batches", "list", "generator", "reader", "capsule", "polars_stream"])
def test_arrow_in_every_shape_comes_back_unchanged(server: StandInServer, store: ff.Store, kind: str) -> None:
    class Capsule:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return table.__arrow_c_stream__(requested_schema)

    table = arrow_table(100_000)
    frames: dict[str, Any] = {
        "table": table,
        "batches": table.combine_chunks().to_batches()[0],
        "list": table.to_batches(max_chunksize=30_000),
        "generator": (batch for batch in table.to_batches(max_chunksize=30_000)),
        "reader": table.to_reader(),
        "capsule": Capsule(),
        "polars_stream": table,
    }
    job = store.get_historical_features(frames[kind], AGE, batch_rows=65_536)
    out = job.to_arrow()
    assert out.select(table.column_names).cast(table.schema) == table
    assert out.select(table.column_names).schema.equals(table.schema)
    assert max(server.faults.upload_batches) <= 65_536
    assert sum(server.faults.upload_batches) == 100_000


def test_a_slice_of_a_view_column_takes_only_its_own_bytes(server: StandInServer, store: ff.Store) -> None:
    table = arrow_table(100_000).slice(0, 10)
    store.get_historical_features(table, AGE)
    assert server.faults.upload_bytes[0] < 10_000


def test_frames_of_other_kinds_are_refused(store: ff.Store) -> None:
    for wrong in ({"user_id": [1]}, 5, None, b"x"):
        with pytest.raises(ff.InvalidArgumentError, match="an entity frame cannot be a"):
            store.get_historical_features(wrong, AGE)  # type: ignore[arg-type]
    with pytest.raises(ff.InvalidArgumentError, match="schema is not known"):
        store.get_historical_features([], AGE)
    with pytest.raises(ff.InvalidArgumentError, match="schema is not known"):
        store.get_historical_features(iter([]), AGE)
    with pytest.raises(ff.InvalidArgumentError, match="holds a int"):
        store.get_historical_features([1], AGE)  # type: ignore[list-item]
    one, other = pa.record_batch({"a": [1]}), pa.record_batch({"b": [1]})
    with pytest.raises(ff.InvalidArgumentError, match="another schema"):
        store.get_historical_features([one, other], AGE)


def test_an_error_of_the_callers_own_batches_stays_itself(store: ff.Store) -> None:
    def batches() -> Any:
        yield pa.record_batch({"user_id": [1]})
        raise pa.ArrowInvalid("mine")

    with pytest.raises(pa.ArrowInvalid, match="mine"):
        store.get_historical_features(batches(), AGE)
