"""Asks for a month of purchases per customer and names every cell that is not as expected."""

import math
import os
from pathlib import Path

import featherflight as ff
import pyarrow.parquet as pq

HERE = Path(__file__).parent
FEATURES = ["spent", "purchases", "mean_amount"]


def differences():
    job = ff.connect(os.environ["FEATHERFLIGHT_URL"], progress=False).get_historical_features(
        pq.read_table(HERE / "frame.parquet"),
        [f"customer_month:{name}" for name in FEATURES],
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
        if answer.schema.field(name).type != expected.schema.field(name).type
    ]
    why = expected["why"].to_pylist()
    cells = [
        [name, row, why[row], repr(got), repr(want)]
        for name in expected.column_names
        for row, (got, want) in enumerate(zip(answer[name].to_pylist(), expected[name].to_pylist(), strict=True))
        if not same(got, want)
    ]
    return types + cells


def same(got, want):
    """Exact but for fitted means, whose terms may be added in any order."""
    if isinstance(got, float) and isinstance(want, float):
        return math.isclose(got, want, rel_tol=1e-9)
    return type(got) is type(want) and got == want


def spread():
    """What the frame asks: rows and, of one feature, how many of each status."""
    expected = pq.read_table(HERE / "expected.parquet")
    statuses = expected["customer_month__spent__status"].to_pylist()
    return {"rows": expected.num_rows, **{status: statuses.count(status) for status in sorted(set(statuses))}}
