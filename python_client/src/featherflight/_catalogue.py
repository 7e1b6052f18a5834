"""The catalogue's tables: text in a terminal, HTML in a notebook, pandas or Arrow to work with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from featherflight._optional import require
from featherflight._render import Column, html_table, text_table
from featherflight.errors import NotFoundError

if TYPE_CHECKING:
    import pandas as pd

_text = pa.string()
_texts = pa.list_(pa.string())
_map = pa.map_(pa.string(), pa.string())
_time = pa.timestamp("us", "UTC")
_count = pa.int64()
_seconds = pa.float64()

_schemas: dict[str, dict[str, pa.DataType]] = {
    "datasets": {
        "name": _text,
        "rows": _count,
        "splits": pa.map_(pa.string(), pa.int64()),
        "features": _texts,
        "labels": _texts,
        "service": _text,
        "models": _texts,
        "warnings": _texts,
        "created_at": _time,
        "created_by": _text,
        "description": _text,
        "id": _text,
        "damaged": _text,
    },
    "entities": {"name": _text, "join_keys": _map, "description": _text, "owner": _text, "tags": _map},
    "sources": {
        "name": _text,
        "kind": _text,
        "format": _text,
        "paths": _texts,
        "event_timestamp": _text,
        "created_timestamp": _text,
        "available_at": _text,
        "timezone": _text,
        "columns": _map,
        "description": _text,
        "owner": _text,
    },
    "feature_views": {
        "name": _text,
        "kind": _text,
        "entities": _texts,
        "source": _text,
        "join_keys": _map,
        "ttl": _text,
        "delay": _text,
        "as_known": pa.bool_(),
        "features": _texts,
        "newest_event": _time,
        "freshness": _text,
        "freshness_state": _text,
        "event_age_seconds": _seconds,
        "processing_age_seconds": _seconds,
        "last_read": _time,
        "readers": _map,
        "description": _text,
        "owner": _text,
        "tags": _map,
        "deprecated": _text,
    },
    "feature_services": {
        "name": _text,
        "features": _texts,
        "description": _text,
        "owner": _text,
        "tags": _map,
        "deprecated": _text,
        "last_read": _time,
        "readers": _map,
    },
    "features": {
        "name": _text,
        "view": _text,
        "feature": _text,
        "type": _text,
        "default": _text,
        "description": _text,
        "owner": _text,
        "newest_event": _time,
        "deprecated": _text,
        "last_read": _time,
        "readers": _map,
    },
    "usage": {
        "name": _text,
        "reader": _text,
        "last_read": _time,
    },
    "acts": {
        "name": _text,
        "at": _time,
        "action": _text,
        "names": _texts,
        "outcome": _text,
        "code": _text,
        "what": _text,
        "caller": _text,
        "token": _text,
        "user": _text,
        "door": _text,
        "address": _text,
        "request_id": _text,
        "trace_id": _text,
        "ms": _count,
        "requests": _count,
        "until": _time,
        "rows": _count,
        "details": _text,
    },
    "streams": {
        "name": _text,
        "source": _text,
        "partition": _text,
        "next": _text,
        "end": _text,
        "lag_records": _count,
        "lag_seconds": _seconds,
        "max_event_time": _time,
        "freshness_seconds": _seconds,
        "records": _count,
        "events": _count,
        "late": _count,
        "set_aside": _count,
        "duplicates": _count,
        "ignored_fields": _map,
        "error": _text,
    },
}

# What is not shown: the name says it already (`view:feature`, `source/partition`), or a row would be too wide for it.
_not_shown = {
    "acts": (
        "name",
        "token",
        "door",
        "address",
        "request_id",
        "trace_id",
        "ms",
        "requests",
        "until",
        "rows",
        "details",
    ),
    "features": ("view", "feature"),
    "streams": ("source", "partition"),
}


class CatalogueTable(Sequence[dict[str, Any]]):
    """The rows of one kind of definition. Index by position or by name; columns that are all empty are not shown."""

    def __init__(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self.kind = kind
        types = dict(_schemas[kind])
        for row in rows:
            for name in row:
                types.setdefault(name, _text)
        self._types = types
        self._rows = [{name: _decode(row.get(name), kind) for name, kind in types.items()} for row in rows]

    @property
    def names(self) -> list[str]:
        """The names, in the table's order."""
        return [row["name"] for row in self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows)

    def __contains__(self, name: object) -> bool:
        return any(row["name"] == name for row in self._rows)

    def __getitem__(self, key: Any) -> Any:
        """The row of a name or a position; a list of rows for a slice."""
        if not isinstance(key, str):
            return self._rows[key]
        for row in self._rows:
            if row["name"] == key:
                return row
        near = get_close_matches(key, self.names, 1)
        known = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(self.names) or 'none'}"
        raise NotFoundError(f'nothing named "{key}" among the {self._title()}; {known}', details={"name": key})

    def to_arrow(self) -> pa.Table:
        """All columns; mappings become Arrow maps, times timestamps."""
        columns = [
            pa.array([_to_arrow_value(row[name], kind) for row in self._rows], type=kind)
            for name, kind in self._types.items()
        ]
        return pa.Table.from_arrays(columns, names=list(self._types))

    def to_pandas(self) -> pd.DataFrame:
        """All columns; mappings become dicts, lists stay lists, times timestamps."""
        require("pandas", "CatalogueTable.to_pandas()")
        import pandas as pd

        frame: pd.DataFrame = pd.DataFrame({name: [row[name] for row in self._rows] for name in self._types})
        for name, kind in self._types.items():
            if kind == _time:
                frame[name] = frame[name].astype("datetime64[us, UTC]")
        return frame

    def __str__(self) -> str:
        if not self._rows:
            return f"no {self._title()} yet"
        return f"{text_table(self._columns())}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self._rows:
            return f"<p>no {self._title()} yet</p>"
        return html_table(self._columns(), caption=f"{len(self):,} {self._title()}")

    def _columns(self) -> list[Column]:
        shown = [
            name
            for name in self._types
            if name not in _not_shown.get(self.kind, ())
            and any(row[name] not in (None, "", [], {}) for row in self._rows)
        ]
        return [Column(name.replace("_", " "), [_cell(row[name]) for row in self._rows]) for name in shown]

    def _title(self) -> str:
        return self.kind.replace("_", " ")


def _decode(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if kind == _time:
        # fromisoformat reads a Z only from Python 3.11 on.
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return value


def _to_arrow_value(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if kind == _map:
        return [(name, _string(part)) for name, part in value.items()]
    if kind == _texts:
        return [_string(part) for part in value]
    return _string(value) if kind == _text else value


def _string(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_string(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_string(part) for part in value)
    return _string(value)
