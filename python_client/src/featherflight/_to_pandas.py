"""An answer as a pandas DataFrame: features with their own types, the frame's own columns as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

_nullable_names = {
    pa.bool_(): "boolean",
    pa.int8(): "Int8",
    pa.int16(): "Int16",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.uint8(): "UInt8",
    pa.uint16(): "UInt16",
    pa.uint32(): "UInt32",
    pa.uint64(): "UInt64",
}


def table_to_pandas(table: pa.Table, own: pd.DataFrame | None) -> pd.DataFrame:
    """The table as a DataFrame; with `own`, the frame that was sent, its index, labels and dtypes come back.

    Integers and booleans become nullable (`Int64`, `boolean`) exactly where the column holds nulls.
    """
    import pandas as pd

    labels: dict[str, Any] = {str(label): label for label in own.columns} if own is not None else {}
    special = {
        index: values
        for index, name in enumerate(table.column_names)
        if (values := _convert(table.column(index), own[labels[name]] if own is not None and name in labels else None))
        is not None
    }
    plain = [index for index in range(table.num_columns) if index not in special]
    rest = _with_signed_codes(table.select(plain)).to_pandas(ignore_metadata=True)
    columns = special | {index: rest.iloc[:, place].array for place, index in enumerate(plain)}
    frame = pd.DataFrame(
        {index: columns[index] for index in range(table.num_columns)},
        index=own.index if own is not None else pd.RangeIndex(table.num_rows),
        copy=False,
    )
    frame.columns = _column_index([labels.get(name, name) for name in table.column_names], own)
    return _restore_dtypes(frame, own) if own is not None else frame


def _convert(column: pa.ChunkedArray[Any], own: pd.Series[Any] | None) -> Any:
    """Values of a column that pyarrow alone would not give the right dtype; None for those it does."""
    import pandas as pd

    if own is not None:
        if own.dtype == object:
            # Arrow keeps no record of Python objects: which null, list or array, which number type.
            return own.array
        from_arrow = getattr(own.dtype, "__from_arrow__", None)
        return from_arrow(column) if from_arrow is not None else None
    if column.null_count == 0:
        return None
    name = _nullable_names.get(column.type)
    dtype: Any = None if name is None else pd.api.types.pandas_dtype(name)
    return None if dtype is None else dtype.__from_arrow__(column)


def _with_signed_codes(table: pa.Table) -> pa.Table:
    # Polars' categories have unsigned codes, which older pyarrow does not convert to pandas.
    for index, kind in enumerate(table.schema.types):
        if pa.types.is_dictionary(kind) and pa.types.is_unsigned_integer(kind.index_type):
            signed = pa.dictionary(pa.int64(), kind.value_type, kind.ordered)
            table = table.set_column(index, table.field(index).with_type(signed), table.column(index).cast(signed))
    return table


def _column_index(labels: list[Any], own: pd.DataFrame | None) -> pd.Index[Any]:
    import pandas as pd

    index: pd.Index[Any] = pd.Index(labels, name=own.columns.name if own is not None else None)
    return index


def _restore_dtypes(frame: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    for label, dtype in own.dtypes.items():
        if label in frame.columns and frame[label].dtype != dtype:
            frame[label] = _cast(frame[label], own[label])
    return frame


def _cast(values: pd.Series[Any], own: pd.Series[Any]) -> Any:
    try:
        return values.astype(own.dtype)
    except (TypeError, ValueError):
        # A dtype that nothing else can be cast to: rows are in the frame's order, so its own values are the answer's.
        return own
