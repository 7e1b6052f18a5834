"""Makes Arrow data of every type with pyarrow, and compares what came back: `make FOLDER`, `compare FOLDER`."""

import decimal
import sys
from pathlib import Path

import pyarrow as pa

D = decimal.Decimal
BASE = {
    "null": (pa.null(), [None]),
    "bool": (pa.bool_(), [True, None, False]),
    **{f"{name}": (getattr(pa, name)(), [low, None, high]) for name, low, high in [
        ("int8", -128, 127), ("int16", -(2**15), 2**15 - 1), ("int32", -(2**31), 2**31 - 1), ("int64", -(2**63), 2**63 - 1),
        ("uint8", 0, 255), ("uint16", 0, 2**16 - 1), ("uint32", 0, 2**32 - 1), ("uint64", 0, 2**64 - 1)]},
    "float16": (pa.float16(), [1.5, None, -2.0]),
    "float32": (pa.float32(), [1.5, None, float("inf")]),
    "float64": (pa.float64(), [0.1, None, -0.0]),
    "decimal32": (pa.decimal32(9, 2), [D("-1234567.89"), None, D("0.01")]),
    "decimal64": (pa.decimal64(18, 4), [D("-12345678901234.5678"), None, D("0.0001")]),
    "decimal128": (pa.decimal128(38, 10), [D("-1234567890123456789012345678.0123456789"), None, D("1")]),
    "decimal256": (pa.decimal256(76, 0), [D("9" * 76), None, D("-1")]),
    "string": (pa.string(), ["", None, "höhe", "a text longer than twelve bytes"]),
    "large_string": (pa.large_string(), ["", None, "höhe"]),
    "string_view": (pa.string_view(), ["", None, "inline", "a text longer than twelve bytes", "another text, also long"]),
    "binary": (pa.binary(), [b"", None, b"\x00\xff"]),
    "large_binary": (pa.large_binary(), [b"", None, b"\x00\xff"]),
    "binary_view": (pa.binary_view(), [b"", None, b"\x00" * 40]),
    "fixed_size_binary": (pa.binary(3), [b"abc", None, b"\x00\x01\x02"]),
    "date32": (pa.date32(), [-1, None, 20000]),
    "date64": (pa.date64(), [-86400000, None, 86400000]),
    **{f"time_{u}": ((pa.time32 if u in ("s", "ms") else pa.time64)(u), [0, None, 5]) for u in ("s", "ms", "us", "ns")},
    **{f"timestamp_{u}_{z}": (pa.timestamp(u, z), [-1, None, 2**40]) for u in ("s", "ms", "us", "ns") for z in (None, "UTC", "America/New_York")},
    **{f"duration_{u}": (pa.duration(u), [-1, None, 2**40]) for u in ("s", "ms", "us", "ns")},
    "interval": (pa.month_day_nano_interval(), [pa.MonthDayNano([1, -2, 3]), None]),
    "list": (pa.list_(pa.string()), [["a", None], None, [], ["b"]]),
    "large_list": (pa.large_list(pa.int64()), [[1, None], None, [], [2]]),
    "list_view": (pa.list_view(pa.int64()), [[1, None], None, [], [2]]),
    "large_list_view": (pa.large_list_view(pa.string()), [["x"], None, []]),
    "fixed_size_list": (pa.list_(pa.float32(), 2), [[1.0, 2.0], None, [None, 3.0]]),
    "struct": (pa.struct([pa.field("a", pa.int32(), nullable=False, metadata={"k": "v"}), pa.field("b", pa.list_(pa.bool_()))]), [{"a": 1, "b": [True]}, None, {"a": 2, "b": None}]),
    "map": (pa.map_(pa.string(), pa.int32()), [[("a", 1), ("b", None)], None, []]),
    "nested": (pa.list_(pa.struct([("x", pa.list_(pa.string_view()))])), [[{"x": ["a text longer than twelve bytes"]}, None], None, [{"x": None}]]),
}
INT_TYPES = {"date32": pa.int32(), "date64": pa.int64(), "time_s": pa.int32(), "time_ms": pa.int32()}


def column(name: str, dtype: pa.DataType, values: list, rows: int) -> pa.Array:
    repeated = [values[i % len(values)] for i in range(rows)]
    if name.startswith(("date", "time", "duration")):
        stored = INT_TYPES.get(name, pa.int64())
        return pa.array(repeated, stored).cast(dtype) if not name.startswith("date") else pa.Array.from_buffers(dtype, rows, pa.array(repeated, stored).buffers())
    if name == "float16":
        import numpy as np

        return pa.array([None if v is None else np.float16(v) for v in repeated], dtype)
    return pa.array(repeated, dtype)


def batch(rows: int, *, one_dictionary: bool) -> pa.RecordBatch:
    arrays = {name: column(name, dtype, values, rows) for name, (dtype, values) in BASE.items()}
    texts = pa.array([["low", None, "a rather high category"][i % 3] for i in range(rows)], pa.string())
    for index in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        arrays[f"dictionary_{index}"] = pa.DictionaryArray.from_arrays(texts.dictionary_encode().indices.cast(index), pa.array(["low", "a rather high category"]), ordered=True)
    # A file has one dictionary a column; in a stream it may grow by deltas or be replaced.
    coded = arrays["dictionary_int32"] if one_dictionary else texts.dictionary_encode()
    arrays["dictionary_in_list"] = pa.ListArray.from_arrays(pa.array([*range(rows), rows], pa.int32()), coded)
    for ends in (pa.int16(), pa.int32(), pa.int64()):
        count = (rows + 2) // 3
        arrays[f"runs_{ends}"] = pa.RunEndEncodedArray.from_arrays(
            pa.array([min(3 * (i + 1), rows) for i in range(count)], ends), pa.array([None if i % 4 == 1 else f"run {i}" for i in range(count)], pa.string()))
    ids = pa.array([i % 2 for i in range(rows)], pa.int8())
    ints, strings = pa.array(range(rows), pa.int64()), pa.array([f"text {i}" for i in range(rows)], pa.string())
    arrays["sparse_union"] = pa.UnionArray.from_sparse(ids, [ints, strings])
    arrays["dense_union"] = pa.UnionArray.from_dense(ids, pa.array([i // 2 for i in range(rows)], pa.int32()), [ints, strings])
    arrays["extension"] = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes([i % 256] * 16) for i in range(rows)], pa.binary(16)))
    fields = [pa.field(name, array.type, nullable=name != "int8", metadata={"note": "ü", "raw": b"\xff\x00"}) for name, array in arrays.items()]
    fields[1] = pa.field(fields[1].name, fields[1].type)
    arrays["int8"] = pa.array([i % 100 for i in range(rows)], pa.int8())
    return pa.RecordBatch.from_arrays(list(arrays.values()), schema=pa.schema(fields, metadata={"pandas": "{}", "raw": b"\xfe"}))


def batches(*, one_dictionary: bool) -> list[pa.RecordBatch]:
    # Whole, empty, one row, and a slice that starts inside a byte.
    whole, empty, one, longer = (batch(rows, one_dictionary=one_dictionary) for rows in (100, 0, 1, 60))
    return [empty, one, whole, longer.slice(3, 41), one]


def make(folder: Path) -> None:
    for compression in (None, "lz4", "zstd"):
        options = pa.ipc.IpcWriteOptions(compression=compression, emit_dictionary_deltas=True)
        for kind, new in (("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
            data = batches(one_dictionary=kind == "file")
            with new(str(folder / f"{kind}-{compression}.arrow"), data[0].schema, options=options) as writer:
                for one in data:
                    writer.write_batch(one)


def compare(folder: Path) -> None:
    paths = sorted(folder.glob("back-*.arrow"))
    for path in paths:
        opened = pa.ipc.open_file(str(path)) if "-file-" in path.name else pa.ipc.open_stream(str(path))
        got = [opened.get_batch(i) for i in range(opened.num_record_batches)] if "-file-" in path.name else list(opened)
        want = batches(one_dictionary="from-file" in path.name)
        assert len(got) == len(want), path
        for a, b in zip(got, want):
            a.validate(full=True)
            assert a.schema.equals(b.schema, check_metadata=True), (path, a.schema, b.schema)
            for name in b.schema.names:
                same = a[name].to_pylist() == b[name].to_pylist() if name == "dictionary_in_list" else a[name].equals(b[name])
                assert same, (path.name, name)
    print(len(paths))


if __name__ == "__main__":
    {"make": make, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))
