"""Training answers as text that loses nothing, and a topic as a reader that is not ours sees it."""

# ruff: noqa: F401 - the tests use what is imported here

import json
from decimal import Decimal

import featherflight as ff
import pyarrow as pa


def plain(value):
    if isinstance(value, bool) or value is None or isinstance(value, (float, str)):
        return value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, (int, Decimal)):
        return str(value)
    raise TypeError(type(value))


def cells(column):
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return [plain(value) for value in column.to_pylist()]


def train(url, features, keys, at_us):
    """Every column of a training set whose rows are these keys, all at one T."""
    client = ff.connect(url)
    types = {"user_id": pa.int64(), "item_id": pa.string()}
    rows = len(next(iter(keys.values()))) if keys else 1
    arrays = {name: pa.array(values, types[name]) for name, values in keys.items()}
    frame = pa.table(
        {
            **arrays,
            "event_timestamp": pa.array(
                [int(at_us)] * rows, pa.timestamp("us", tz="UTC")
            ),
        }
    )
    table = client.get_historical_features(
        frame, features, statuses=True, full_feature_names=True
    ).to_arrow()
    return {name: cells(table[name]) for name in table.column_names}
