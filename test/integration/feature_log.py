"""What a feature log holds, by pyarrow: python feature_log.py LOG_DIRECTORY [FLIGHT_URL]. With a URL its rows are computed again from history."""

import base64
import datetime
import decimal
import json
import math
import pathlib
import sys
import zoneinfo

import pyarrow as pa
import pyarrow.parquet as pq


def shown(value):
    """A value in the form that the server's JSON has it."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.astimezone(zoneinfo.ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value


def shown_column(column):
    is_long = pa.types.is_int64(column.type) or (
        pa.types.is_list(column.type) and pa.types.is_int64(column.type.value_type)
    )
    values = [shown(value) for value in column.to_pylist()]
    if not is_long:
        return values
    text = lambda value: None if value is None else [text(v) for v in value] if isinstance(value, list) else str(value)
    return [text(value) for value in values]


def compute_again(shape, table, url):
    """The same rows from history, as the training set that a file of the log is a frame of."""
    import featherflight as ff

    frame = table.select([shape["own"]["evaluatedAt"], *(column["name"] for column in shape["columns"])])
    job = ff.connect(url).get_historical_features(
        frame,
        features=shape["features"],
        keys=shape["keys"],
        full_feature_names=shape["fullFeatureNames"],
        statuses=True,
        timestamp=shape["own"]["evaluatedAt"],
    )
    computed = job.to_arrow()
    names = computed.schema.names[len(frame.schema.names) :]
    logged = table.select(names)
    assert [f.type for f in computed.select(names).schema] == [f.type for f in logged.schema], (computed.schema, logged.schema)
    for name in names:
        assert shown_column(computed[name]) == shown_column(logged[name]), name
    return len(names)


directory = pathlib.Path(sys.argv[1])
rows = []
computed = 0
for folder in sorted(directory.iterdir()):
    shape = json.loads((folder / "shape.json").read_text())
    for file in sorted(folder.glob("*.parquet")):
        table = pq.read_table(file)
        if len(sys.argv) > 2:
            computed += compute_again(shape, table, sys.argv[2])
        columns = {name: shown_column(table[name]) for name in table.schema.names}
        for row in range(table.num_rows):
            rows.append({"service": shape["service"], "values": {name: values[row] for name, values in columns.items()}})
json.dump({"rows": rows, "computed": computed}, sys.stdout)
