"""Entity frames of every kind, read as Arrow batches of at most 65,536 rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pyarrow as pa

from featherflight.errors import InvalidArgumentError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    EntityFrame: TypeAlias = (
        pd.DataFrame
        | pl.DataFrame
        | pl.LazyFrame
        | pa.Table
        | pa.RecordBatch
        | pa.RecordBatchReader
        | Iterable[pa.RecordBatch]
        | str
        | os.PathLike[str]
    )

BATCH_ROWS = 65_536


class Frame(Protocol):
    """The rows of a request: what they look like, how many, and how to read them."""

    schema: pa.Schema
    rows: int | None
    """None where nobody knows before the end."""
    repeatable: bool
    """Whether `batches` can be read again."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows from the first on; each batch has 1 to 65,536 of them."""


class ArrowFrame:
    """Batches that stand in memory: a table, a batch, or a list of batches."""

    repeatable = True

    def __init__(self, schema: pa.Schema, batches: list[pa.RecordBatch]) -> None:
        self.schema = schema
        self.rows: int | None = sum(batch.num_rows for batch in batches)
        self._batches = batches

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches, cut where they are too long."""
        return _cut(self._batches, self.schema)


class StreamFrame:
    """Batches that come once."""

    repeatable = False
    rows: int | None = None

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self.schema = schema
        self._batches = batches

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What the stream still holds, cut where a batch is too long."""
        return _cut(self._batches, self.schema)


class PandasFrame:
    """A pandas DataFrame, converted slice by slice; its index stays here, beside the rows it belongs to."""

    repeatable = True

    def __init__(self, frame: pd.DataFrame) -> None:
        self.own = _keep_pandas(frame)
        self.rows: int | None = len(frame)
        self._named = self.own.set_axis(_pandas_names(frame), axis="columns")
        with _refusing("pandas"):
            self.schema = pa.Schema.from_pandas(self._named, preserve_index=False)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Slices of the frame under one schema."""
        for start in range(0, len(self._named), BATCH_ROWS):
            part = self._named.iloc[start : start + BATCH_ROWS]
            with _refusing("pandas"):
                # Arrow-backed columns of frames that were joined together come in several chunks.
                table = pa.Table.from_pandas(part, schema=self.schema, preserve_index=False, nthreads=1)
                batches = table.combine_chunks().to_batches()
            yield from batches


class PolarsFrame:
    """A Polars DataFrame, converted slice by slice."""

    repeatable = True

    def __init__(self, frame: pl.DataFrame) -> None:
        objects = [name for name, dtype in frame.schema.items() if str(dtype) == "Object"]
        if objects:
            # Polars would send the addresses of the objects.
            raise InvalidArgumentError(
                f"this Polars frame cannot be sent as Arrow: column {objects[0]!r} holds Python objects"
            )
        self.own = frame.clone()
        self.rows: int | None = frame.height
        with _refusing("Polars"):
            self.schema = _polars_table(frame.head(0)).schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Slices of the frame under one schema."""
        for part in self.own.iter_slices(BATCH_ROWS):
            with _refusing("Polars"):
                table = _polars_table(part).combine_chunks()
                if not table.schema.equals(self.schema):
                    table = table.cast(self.schema)
            yield from table.to_batches()


def read_frame(entity_df: EntityFrame) -> Frame | str:
    """The rows of whatever a caller has; a path stays a path, which the server reads. Raises InvalidArgumentError."""
    frame: Any = entity_df
    if isinstance(frame, (str, os.PathLike)):
        return os.fspath(frame)
    if isinstance(frame, pa.Table):
        return ArrowFrame(frame.schema, frame.to_batches())
    if isinstance(frame, pa.RecordBatch):
        return ArrowFrame(frame.schema, [frame])
    if isinstance(frame, pa.RecordBatchReader):
        return StreamFrame(frame.schema, iter(frame))
    if _is_a(frame, "pandas", "DataFrame"):
        return PandasFrame(frame)
    if _is_a(frame, "polars", "LazyFrame"):
        return PolarsFrame(frame.collect())
    if _is_a(frame, "polars", "DataFrame"):
        return PolarsFrame(frame)
    if hasattr(frame, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(frame)
        return StreamFrame(reader.schema, iter(reader))
    if isinstance(frame, Iterable) and not isinstance(frame, (dict, bytes)):
        return _read_iterable(frame)
    raise InvalidArgumentError(
        f"an entity frame cannot be a {type(frame).__name__}: give a pandas or Polars DataFrame, an Arrow table, "
        "a RecordBatchReader, record batches, or the path of a file that the server can read"
    )


def _read_iterable(frame: Iterable[Any]) -> Frame:
    if isinstance(frame, (list, tuple)):
        batches = [_check_batch(item) for item in frame]
        if not batches:
            raise InvalidArgumentError("no record batches: their schema is not known; give at least an empty one")
        return ArrowFrame(batches[0].schema, batches)
    iterator = (_check_batch(item) for item in frame)
    first = next(iterator, None)
    if first is None:
        raise InvalidArgumentError("no record batches: their schema is not known; give at least an empty one")
    return StreamFrame(first.schema, _chain(first, iterator))


def _check_batch(item: Any) -> pa.RecordBatch:
    if not isinstance(item, pa.RecordBatch):
        raise InvalidArgumentError(f"an iterable of record batches holds a {type(item).__name__}")
    return item


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _cut(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    views = [index for index, kind in enumerate(schema.types) if _plain_type(kind) != kind]
    for number, batch in enumerate(batches):
        if not batch.schema.equals(schema):
            raise InvalidArgumentError(
                f"record batch {number} has another schema than the first:\n{batch.schema}\ninstead of\n{schema}"
            )
        for start in range(0, batch.num_rows, BATCH_ROWS):
            part = batch.slice(start, BATCH_ROWS) if batch.num_rows > BATCH_ROWS else batch
            yield _compact(part, views)


def _compact(batch: pa.RecordBatch, views: list[int]) -> pa.RecordBatch:
    # A slice of a view column drags all its buffers along; written once as its plain type it keeps only its own bytes.
    if not views:
        return batch
    columns = list(batch.columns)
    for index in views:
        kind = columns[index].type
        try:
            plain = pa.record_batch([columns[index].cast(_plain_type(kind))], names=["values"])
            own = pa.ipc.read_record_batch(plain.serialize(), plain.schema)
            columns[index] = own.column(0).cast(kind)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            # A type that has no plain twin goes as it is, only larger.
            continue
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if kind == pa.string_view():
        return pa.large_string()
    if kind == pa.binary_view():
        return pa.large_binary()
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_plain_type(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([kind.field(i).with_type(_plain_type(kind.field(i).type)) for i in range(kind.num_fields)])
    return kind


def _polars_table(frame: pl.DataFrame) -> pa.Table:
    import polars as pl

    # The oldest level has offsets instead of views: cheap to slice, and every Arrow reader knows it.
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _pandas_names(frame: pd.DataFrame) -> list[str]:
    if frame.columns.nlevels > 1:
        raise InvalidArgumentError("the frame's columns have several levels; flatten them to one name each")
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InvalidArgumentError(f"the frame has more than one column named {', '.join(map(repr, twice))}")
    return names


def _keep_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    # Under copy-on-write a shallow copy is out of reach of later changes; before pandas 3 it is not the default.
    lazy = int(pd.__version__.split(".")[0]) >= 3 or pd.get_option("mode.copy_on_write") is True
    kept: pd.DataFrame = frame.copy(deep=not lazy)
    return kept


def _is_a(value: object, module: str, name: str) -> bool:
    # A frame exists only if its library has been imported, and then it is in sys.modules.
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, name))


class _refusing:  # noqa: N801 - reads as a verb
    """Turns a conversion that failed into InvalidArgumentError that names the library's frame."""

    def __init__(self, library: str) -> None:
        self._library = library

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (pa.ArrowException, TypeError, ValueError, OverflowError)):
            reason = "; ".join(str(part) for part in error.args) or type(error).__name__
            raise InvalidArgumentError(f"this {self._library} frame cannot be sent as Arrow: {reason}") from error
