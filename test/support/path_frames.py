"""Entity frames of many types as pyarrow writes them, and whether what came back is equal: make DIR, compare DIR NAME=FILE..."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

ROWS = 5000
NOON = 1_772_539_200_000  # of 3 March 2026, in milliseconds
TIMES = [0, 1_700_000_000, None, -1]


def fill(values: list[Any], type_: pa.DataType | None = None) -> pa.Array:
    """The values over and over, in ROWS rows: more than one of DuckDB's chunks."""
    return pa.array((values * ROWS)[:ROWS], type_)


def keys() -> dict[str, pa.Array]:
    times = pa.array(np.arange(ROWS, dtype="int64") + NOON, pa.timestamp("ms", "UTC"))
    return {"user_id": pa.array(np.arange(ROWS, dtype="int64") % 7), "event_timestamp": times}


def columns() -> dict[str, pa.Array]:
    decimals = [Decimal("1.23"), Decimal("-1.00"), None, Decimal("0.01")]
    struct = pa.struct([("a", pa.int8()), ("b", pa.large_string()), ("c", pa.timestamp("ms", "Asia/Tokyo"))])
    halves = np.arange(ROWS, dtype="uint16")
    halves[:8] = [0x8000, 0x0001, 0x03FF, 0x7BFF, 0x7C00, 0xFC00, 0x3555, 0xC000]
    required = pa.field("item", pa.float32(), nullable=False)
    return {
        "bool": fill([True, False, None]),
        **{
            f"int{bits}": fill([1, -(2 ** (bits - 1)), None, 2 ** (bits - 1) - 1], getattr(pa, f"int{bits}")())
            for bits in (8, 16, 32, 64)
        },
        **{f"uint{bits}": fill([1, 0, None, 2**bits - 1], getattr(pa, f"uint{bits}")()) for bits in (8, 16, 32, 64)},
        "float16": pa.array(halves.view(np.float16)),
        "float32": fill([1.5, -0.0, None, float("inf")], pa.float32()),
        "float64": fill([0.1, -0.0, None, float("-inf")]),
        "decimal32": fill(decimals, pa.decimal32(5, 2)),
        "decimal64": fill(decimals, pa.decimal64(15, 2)),
        "decimal128": fill(decimals, pa.decimal128(38, 2)),
        "decimal256": fill(decimals, pa.decimal256(30, 2)),
        "string": fill(["a", "", None, "ä" * 20]),
        "large_string": fill(["a", "", None, "ä" * 20], pa.large_string()),
        "string_view": fill(["a", "", None, "ä" * 20, "twelve bytes", "thirteen byte"], pa.string_view()),
        "binary": fill([b"\x00", b"", None, b"\xff" * 20]),
        "large_binary": fill([b"\x00", b"", None, b"\xff" * 20], pa.large_binary()),
        "binary_view": fill([b"\x00", b"", None, b"\xff" * 20], pa.binary_view()),
        "fixed_size_binary": fill([b"abc", b"\x00\xff\x00", None], pa.binary(3)),
        "date32": fill([0, -1, None, 20_000], pa.date32()),
        "date64": fill([0, -86_400_000, None, 1_728_000_000_000], pa.date64()),
        "time32_s": fill([0, 86_399, None], pa.time32("s")),
        "time32_ms": fill([0, 86_399_999, None], pa.time32("ms")),
        "time64_us": fill([0, 86_399_999_999, None], pa.time64("us")),
        "duration": fill([0, -5, None, 2**62], pa.duration("ns")),
        **{f"timestamp_{unit}": fill(TIMES, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")},
        "timestamp_s_zone": fill(TIMES, pa.timestamp("s", "UTC")),
        "timestamp_ms_zone": fill(TIMES, pa.timestamp("ms", "Europe/Berlin")),
        "timestamp_us_zone": fill(TIMES, pa.timestamp("us", "+02:00")),
        "list": fill([[1, None], [], None], pa.list_(pa.int16())),
        "large_list": fill([["a", None], [], None], pa.large_list(pa.large_string())),
        "list_of_times": fill([[1, None], [], None], pa.list_(pa.timestamp("ms", "UTC"))),
        "fixed_size_list": fill([[1.5, None], None, [2.5, -0.0]], pa.list_(pa.float32(), 2)),
        "vectors": fill([[1.5, 2.5], [2.5, -0.0]], pa.list_(required, 2)),
        "nested_vectors": fill([[[1, 2], [3, 4]], None, [[5, 6], None]], pa.list_(pa.list_(pa.int8(), 2), 2)),
        "struct": fill([{"a": 1, "b": "x", "c": 5}, None, {"a": None, "b": None, "c": None}], struct),
        "map": fill([[("a", 1), ("b", None)], [], None], pa.map_(pa.string(), pa.int32())),
        "list_of_structs": fill([[{"a": 1, "b": "x", "c": 5}, None], [], None], pa.list_(struct)),
        "null": pa.nulls(ROWS),
        "uuid": fill([b"0123456789abcdef", b"\xff" * 16, None], pa.uuid()),
        "json": fill(['{"a":  1}', "[1]", None], pa.json_()),
        "required": pa.array(range(ROWS)),
        "category": fill(["a", "b", None]).dictionary_encode(),
        "numbers_encoded": fill([5, 6, None]).dictionary_encode(),
    }


def encoded_columns() -> dict[str, pa.Array]:
    """What only Arrow IPC holds."""
    return {
        "time64_ns": fill([1, 2001, None], pa.time64("ns")),
        "timestamp_ns_zone": fill([1_700_000_000_123_456_789, None], pa.timestamp("ns", "UTC")),
        "list_view": fill([[1], [], None], pa.list_view(pa.int8())),
        "dictionary": fill(["a", "b", None]).dictionary_encode(),
        "run_end_encoded": pa.compute.run_end_encode(pa.array(["a"] * 10 + ["b"] * (ROWS - 10))),
    }


def table(extra: dict[str, pa.Array]) -> pa.Table:
    made = pa.table({**keys(), **extra}).replace_schema_metadata(
        {"pandas": "{}", "raw": b"\xff\x00", "featherflight.rows": "7"}
    )
    if "required" not in extra:
        return made
    index = made.schema.get_field_index("required")
    return made.cast(made.schema.set(index, pa.field("required", pa.int64(), nullable=False, metadata={"unit": "mm"})))


def plain(made: pa.Table) -> pa.Table:
    """Dictionaries resolved, as Parquet gives them back."""
    for index, field in enumerate(made.schema):
        if pa.types.is_dictionary(field.type):
            made = made.set_column(index, field.name, made.column(index).cast(field.type.value_type))
    return made


def without_extensions(made: pa.Table) -> pa.Table:
    """Without an Arrow schema, uuids are text as in sources, and so is JSON."""
    uuids = pa.array([None if value is None else str(value) for value in made.column("uuid").to_pylist()])
    made = made.set_column(made.schema.get_field_index("uuid"), "uuid", uuids)
    return made.set_column(made.schema.get_field_index("json"), "json", made.column("json").combine_chunks().storage)


def make(folder: Path) -> None:
    parquet = table(columns())
    pq.write_table(parquet, folder / "arrow.parquet", row_group_size=3000)
    pq.write_table(parquet, folder / "plain.parquet", store_schema=False)
    pq.write_table(parquet.slice(0, 0), folder / "empty.parquet")
    old = table(
        {"uint32": fill([1, 2**32 - 1, None], pa.uint32()), "ns": fill([1000, None], pa.timestamp("ns", "UTC"))}
    )
    pq.write_table(old, folder / "old.parquet", version="1.0")
    expected = {
        "arrow": plain(parquet),
        "plain": without_extensions(pq.read_table(folder / "plain.parquet")),
        "empty": plain(parquet).slice(0, 0),
        "old": old,
    }
    for name, extra in {"file": {**columns(), **encoded_columns()}, "none": encoded_columns()}.items():
        whole = table(extra)
        expected[name] = whole.slice(0, 0) if name == "none" else whole
        with ipc.new_file(folder / f"{name}.arrow", whole.schema) as writer:
            if name != "none":
                writer.write_table(whole, max_chunksize=1500)
    changing = [table({"category": pa.array([word] * ROWS).dictionary_encode()}).to_batches()[0] for word in ("a", "b")]
    expected["changing"] = pa.Table.from_batches(changing)
    with ipc.new_stream(folder / "changing.arrows", changing[0].schema) as stream:
        for batch in changing:
            stream.write_batch(batch)
    for name, whole in expected.items():
        with ipc.new_stream(folder / f"{name}.expected", whole.schema) as stream:
            stream.write_table(whole)
    for name, column in {
        "zone": fill([1], pa.timestamp("ns", "UTC")),
        "inside": fill([[{"t": 1}]], pa.list_(pa.struct([("t", pa.timestamp("ns", "UTC"))]))),
        "time": fill([1], pa.time64("ns")),
        "wide": fill([Decimal("1" * 50)], pa.decimal256(60, 2)),
    }.items():
        pq.write_table(table({name: column}), folder / f"lossy_{name}.parquet")
    pq.write_table(
        pa.table({"int96": fill([1], pa.timestamp("ns"))}),
        folder / "lossy_int96.parquet",
        use_deprecated_int96_timestamps=True,
    )


def compare(folder: Path, names: list[str]) -> None:
    for argument in names:
        name, _, path = argument.partition("=")
        expected = ipc.open_stream(folder / f"{name}.expected").read_all()
        with open(path, "rb") as file:
            opened = ipc.open_file(file) if file.read(6) == b"ARROW1" else ipc.open_stream(path)
            answer = opened.read_all()
        answer.validate(full=True)
        for field in expected.schema:
            got = answer.schema.field(field.name)
            assert got.equals(field, check_metadata=name != "plain"), (
                f"{argument}: {got} {got.metadata}, not {field} {field.metadata}"
            )
            assert answer.column(field.name).equals(expected.column(field.name)), f"{argument}: {field.name} differs"
        assert answer.select(expected.column_names).equals(expected), f"{argument} differs"
        if name != "plain":
            assert (answer.schema.metadata or {}).get(b"raw") == b"\xff\x00", argument
        if "age" in answer.column_names:
            ages = [10 * user + 3 for user in answer.column("user_id").to_pylist()]
            assert answer.column("age").to_pylist() == ages, f"{argument}: features"
            assert (answer.schema.metadata or {}).get(b"featherflight.rows") in (None, str(answer.num_rows).encode()), (
                argument
            )


if __name__ == "__main__":
    command, directory, *rest = sys.argv[1:]
    make(Path(directory)) if command == "make" else compare(Path(directory), rest)
