"""An answer as a Polars DataFrame: the frame's own columns come back with the types they had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import polars as pl


def table_to_polars(table: pa.Table, own: pl.DataFrame | None) -> pl.DataFrame:
    """The table as a DataFrame; with `own`, the frame that was sent, its columns keep their Polars types."""
    import polars as pl

    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    if own is None:
        return frame
    changed = {
        name: dtype for name, dtype in own.schema.items() if name in frame.schema and frame.schema[name] != dtype
    }
    for name, dtype in changed.items():
        try:
            frame = frame.with_columns(pl.col(name).cast(dtype))
        except pl.exceptions.PolarsError:
            # No cast leads there: rows are in the frame's order, so its own values are the answer's.
            frame = frame.with_columns(own.get_column(name))
    return frame
