"""Online answers: columns without loss, as dicts, pandas or Arrow; and columns of a frame as a request carries them."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from featherflight._frames import read_frame
from featherflight._to_pandas import table_to_pandas
from featherflight._warnings import warn_readers
from featherflight.errors import InvalidArgumentError

if TYPE_CHECKING:
    import pandas as pd

    from featherflight._frames import EntityFrame

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_simple: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "bytes": pa.binary(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}


class OnlineResponse:
    """Features of entities as they were at `evaluated_at`."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._answer = answer
        warn_readers(self.warnings)

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """What of it is deprecated, each with a `message`; a process is warned of each once, by DeprecatedWarning."""
        return [dict(one) for one in self._answer.get("warnings", ())]

    @property
    def evaluated_at(self) -> datetime:
        """The T of the answer: windows, ttl and transforms are as of it."""
        return _instant(self._answer["evaluated_at"])

    @property
    def statuses(self) -> dict[str, list[str]]:
        """Per feature PRESENT, NULL_VALUE, NOT_FOUND or OUTSIDE_MAX_AGE for every row."""
        return {name: list(column["statuses"]) for name, column in self._answer["columns"].items()}

    @property
    def is_default(self) -> dict[str, list[bool]]:
        """Per feature whether a default stands in the value's place."""
        return {name: list(column["is_default"]) for name, column in self._answer["columns"].items()}

    @property
    def event_timestamps(self) -> dict[str, list[datetime | None]]:
        """Per feature when the row happened that the value is from."""
        return {
            name: [None if text is None else _instant(text) for text in column["event_timestamps"]]
            for name, column in self._answer["columns"].items()
        }

    def to_dict(self) -> dict[str, list[Any]]:
        """Join keys and features as lists of Python values: int, Decimal, datetime, bytes and lists exactly."""
        return {
            name: [None if value is None else _decode(column["type"], value) for value in column["values"]]
            for name, column in self._columns()
        }

    def to_arrow(self) -> pa.Table:
        """Join keys and features as an Arrow table, typed as training sets are."""
        values = self.to_dict()
        arrays = [pa.array(values[name], _arrow_type(column["type"])) for name, column in self._columns()]
        return pa.Table.from_arrays(arrays, names=[name for name, _ in self._columns()])

    def to_pandas(self) -> pd.DataFrame:
        """As `to_arrow`, with pandas' types that keep integers beside missing values."""
        return table_to_pandas(self.to_arrow(), None)

    def __repr__(self) -> str:
        columns = ", ".join(self._answer["columns"])
        return f"online features of {self._answer['rows']} rows at {self._answer['evaluated_at']}: {columns}"

    def _columns(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [*self._answer["entities"].items(), *self._answer["columns"].items()]


def encode_columns(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Columns as JSON without loss; one value that is no list stands for a list of it."""
    return {name: [_encode(name, value) for value in _as_list(values)] for name, values in columns.items()}


def encode_frame(frame: EntityFrame | Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """The columns of a frame, or of a dict of lists, as JSON without loss. Raises InvalidArgumentError."""
    if isinstance(frame, Mapping):
        return encode_columns(frame)
    read = read_frame(frame)
    if isinstance(read, str):
        raise InvalidArgumentError(f"rows are sent from memory: read the file {read!r} into a table first")
    columns: dict[str, list[Any]] = {name: [] for name in read.schema.names}
    for batch in read.batches():
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            columns[name].extend(_encode(name, value) for value in _to_python(name, column))
    return columns


def _to_python(name: str, column: pa.Array[Any]) -> list[Any]:
    kind: Any = column.type
    if pa.types.is_dictionary(kind):
        return _to_python(name, column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            raise InvalidArgumentError(f"column {name!r} has times without a zone: say which, as by tz_localize('UTC')")
        # Whole microseconds are what the server keeps; a finer part is refused rather than dropped.
        try:
            micros = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        except pa.ArrowInvalid as raised:
            raise InvalidArgumentError(f"column {name!r} has times finer than a microsecond: round them") from raised
        return [None if us is None else _EPOCH + timedelta(microseconds=us) for us in micros]
    return column.to_pylist()


def _as_list(values: Any) -> Sequence[Any]:
    if hasattr(values, "tolist"):
        listed = values.tolist()
        return listed if isinstance(listed, list) else [listed]
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        return [values]
    return list(values)


def _encode(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if -(2**53) < value < 2**53 else str(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidArgumentError(f"column {name!r} has the time {value} without a zone: say which")
        return value.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, (list, tuple)):
        return [_encode(name, item) for item in value]
    if hasattr(value, "item"):
        return _encode(name, value.item())
    raise InvalidArgumentError(f"column {name!r} holds a {type(value).__name__}, which no column of a source has")


def _decode(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind.startswith("list("):
        return [_decode(kind[5:-1], item) for item in value]
    if kind.startswith("vector("):
        return [float(item) for item in value]
    if kind.startswith("decimal("):
        return Decimal(value)
    if kind in ("int32", "int64"):
        return int(value)
    if kind in ("float32", "float64"):
        return float(value)
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "timestamp":
        return _instant(value)
    return date.fromisoformat(value) if kind == "date" else value


def _instant(text: str) -> datetime:
    """ISO text with microseconds; the client's Pythons do not all read a Z."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _arrow_type(kind: str) -> pa.DataType:
    if kind.startswith("list("):
        return pa.list_(_arrow_type(kind[5:-1]))
    if found := re.fullmatch(r"vector\((\w+), *(\d+)\)", kind):
        return pa.list_(_simple[found[1]], int(found[2]))
    if found := re.fullmatch(r"decimal\((\d+), *(\d+)\)", kind):
        return pa.decimal128(int(found[1]), int(found[2]))
    return _simple[kind]
