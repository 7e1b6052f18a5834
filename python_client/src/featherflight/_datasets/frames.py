"""A split of a dataset as one frame, in the frame's order or shuffled."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from featherflight._datasets import streams
from featherflight._optional import require

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from featherflight._datasets.dataset import Dataset

_BATCH_ROWS = 65_536


def to_batches(
    self: Dataset,
    *,
    split: str | None = None,
    columns: Sequence[str] | None = None,
    seed: int | None = None,
    epoch: int = 0,
    batch_rows: int = _BATCH_ROWS,
) -> pa.RecordBatchReader:
    """Rows batch by batch, from a new stream each time.

    Args:
        split: which one; needed where there are several.
        columns: these columns; None: all.
        seed: shuffles, the same for the same seed and epoch; None: in the frame's order.
        epoch: of the order, where it is shuffled.
        batch_rows: rows of a batch; the last may have fewer.

    Raises:
        NotFoundError: no such split or column, or the version was deleted.
        DataLossError: a file of the dataset is not what was saved, or the answer is not whole.
    """
    batches = streams.arrow(
        self,
        batch_rows,
        split=split,
        columns=columns,
        shuffle=seed is not None,
        seed=seed or 0,
        epoch=epoch,
        rank=0,
        world_size=1,
    )
    schema = pa.schema([self.schema.field(column) for column in columns]) if columns is not None else self.schema
    return pa.RecordBatchReader.from_batches(schema, iter(batches))


def to_arrow(self: Dataset, *, split: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
    """A split as an Arrow table, in the frame's order."""
    return self.to_batches(split=split, columns=columns).read_all()


def to_pandas(self: Dataset, *, split: str | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A split as a pandas DataFrame; integers and booleans with nulls are pandas' nullable types."""
    require("pandas", "to_pandas()")
    from featherflight._to_pandas import table_to_pandas

    return table_to_pandas(self.to_arrow(split=split, columns=columns), None)


def to_polars(self: Dataset, *, split: str | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A split as a Polars DataFrame."""
    require("polars", "to_polars()")
    from featherflight._to_polars import table_to_polars

    return table_to_polars(self.to_arrow(split=split, columns=columns), None)


def to_parquet(self: Dataset, path: str | os.PathLike[str], *, split: str | None = None) -> None:
    """Writes a split to a Parquet file; the file appears when it is complete."""
    import pyarrow.parquet as pq

    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with pq.ParquetWriter(partial, self.schema, compression="zstd") as writer:
            for batch in self.to_batches(split=split):
                writer.write_batch(batch)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
