"""Asks for what customers bought, by month, in windows and in sessions, and names every cell that is not as expected."""

import math
import os
from pathlib import Path

import featherflight as ff
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
SUFFIXES = ("__status", "__event_timestamp", "__is_default")


def features():
    """What the expected answer has beside the frame."""
    frame = pq.read_schema(HERE / "frame.parquet").names
    names = [name for name in pq.read_schema(HERE / "expected.parquet").names if name not in frame]
    return [name.replace("__", ":", 1) for name in names if not name.endswith(SUFFIXES)]


def differences():
    job = ff.connect(os.environ["FEATHERFLIGHT_URL"], progress=False).get_historical_features(
        pq.read_table(HERE / "frame.parquet"),
        features(),
        full_feature_names=True,
        as_known=False,
        statuses=True,
    )
    expected, answer = pq.read_table(HERE / "expected.parquet"), job.to_arrow()
    if (answer.column_names, answer.num_rows) != (expected.column_names, expected.num_rows):
        return [[answer.column_names, answer.num_rows]]
    types = [
        [name, str(answer.schema.field(name).type), str(expected.schema.field(name).type)]
        for name in expected.column_names
        if plain(answer.schema.field(name).type) != plain(expected.schema.field(name).type)
    ]
    why = expected["why"].to_pylist()
    cells = [
        [name, row, why[row], repr(got), repr(want)]
        for name in expected.column_names
        for row, (got, want) in enumerate(zip(answer[name].to_pylist(), expected[name].to_pylist(), strict=True))
        if not same(got, want, expected.schema.field(name).metadata)
    ]
    return types + cells


def plain(kind):
    """A type without the names of list items, which mean nothing."""
    return (type(kind).__name__, plain(kind.value_type)) if pa.types.is_list(kind) else kind


def same(got, want, limits):
    """Exact, or within the limits that the expected column gives."""
    if isinstance(got, float) and isinstance(want, float):
        rtol, atol = (float(limits.get(name, 0)) for name in (b"rtol", b"atol"))
        return got == want or math.isclose(got, want, rel_tol=rtol, abs_tol=atol)
    return type(got) is type(want) and got == want


def spread():
    """What the frame asks: rows and, of one feature, how many of each status."""
    expected = pq.read_table(HERE / "expected.parquet")
    statuses = expected["customer_month__spent__status"].to_pylist()
    return {"rows": expected.num_rows, **{status: statuses.count(status) for status in sorted(set(statuses))}}
