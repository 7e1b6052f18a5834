"""What the stand-in server answers: a catalogue, and features made up from the keys."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

TIME = pa.timestamp("us", "UTC")
FEATURES: dict[str, pa.DataType] = {
    "user_profile:age": pa.int32(),
    "user_profile:visits": pa.int64(),
    "user_profile:score": pa.float32(),
    "user_profile:vip": pa.bool_(),
    "user_profile:country": pa.string(),
    "user_profile:embedding": pa.list_(pa.float32(), 2),
    "user_profile:always": pa.int64(),
}
CATALOGUE: dict[str, list[dict[str, Any]]] = {
    "entities": [
        {"name": "user", "join_keys": {"user_id": "int64"}, "description": "a <b>person</b>", "owner": "", "tags": {}}
    ],
    "sources": [],
    "feature_views": [
        {
            "name": "user_profile",
            "kind": "batch",
            "entities": ["user"],
            "source": "user_profiles",
            "join_keys": {"user_id": "int64"},
            "ttl": "30d",
            "delay": None,
            "as_known": False,
            "features": [name.split(":")[1] for name in FEATURES],
            "newest_event": "2026-03-10T12:00:00.000001Z",
            "freshness": "24h",
            "freshness_state": "NEVER",
            "event_age_seconds": 3600.5,
            "processing_age_seconds": None,
            "description": "",
            "owner": "growth",
            "tags": {"tier": "gold"},
        }
    ],
    "feature_services": [
        {
            "name": "ranker_v1",
            "features": ["user_profile:age"],
            "description": "",
            "owner": "",
            "tags": {},
            "deprecated": {"since": "1", "reason": "old"},
        }
    ],
    "features": [
        {
            "name": name,
            "view": "user_profile",
            "feature": name.split(":")[1],
            "type": str(kind),
            "default": -1 if name.endswith("age") else None,
            "description": "",
            "owner": "",
            "newest_event": None,
        }
        for name, kind in FEATURES.items()
    ],
}


def answer_schema(frame: pa.Schema, names: list[str], statuses: bool) -> pa.Schema:
    fields = list(frame)
    for name in names:
        column = name.split(":")[1]
        fields.append(pa.field(column, FEATURES[name]))
        if statuses:
            fields += [
                pa.field(f"{column}__status", pa.string()),
                pa.field(f"{column}__event_timestamp", TIME),
                pa.field(f"{column}__is_default", pa.bool_()),
            ]
    return pa.schema(fields, metadata={"featherflight.rows": "?"})


def add_features(batch: pa.RecordBatch, schema: pa.Schema, names: list[str], statuses: bool) -> pa.RecordBatch:
    columns = list(batch.columns)
    keys = batch.column("user_id").to_pylist() if "user_id" in batch.schema.names else [0] * batch.num_rows
    for name in names:
        columns.append(pa.array([_value(name, key) for key in keys], FEATURES[name]))
        if statuses:
            columns.append(pa.array(["PRESENT" if _value(name, key) is not None else "NOT_FOUND" for key in keys]))
            columns.append(pa.nulls(batch.num_rows, TIME))
            columns.append(pa.array([False] * batch.num_rows))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _value(name: str, key: Any) -> Any:
    if name == "user_profile:always":
        return 7
    if key is None or int(key) % 2:
        return None
    return {"vip": True, "country": "FR", "embedding": [1.0, 2.0]}.get(name.split(":")[1], int(key) * 2)


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in schema.types], schema=schema)


def make_report(rows: int, batches: int, names: list[str]) -> dict[str, Any]:
    counts = {"present": rows // 2, "null_value": 1, "not_found": rows - rows // 2 - 1, "outside_max_age": 0}
    rest = {"out_of_range": 0, "defaults": 1, "ties": 0}
    return {
        "rows": rows,
        "batches": batches,
        "bytes": 12_345,
        "first_batch_seconds": 0.011,
        "total_seconds": 1.25,
        "identity": "0123456789abcdef0123",
        "reproducible": True,
        "features": [{"name": name.split(":")[1], "view": "user_profile", **counts, **rest} for name in names],
        "warnings": [],
        "events": [
            {
                "view": "activity",
                "source": "clicks",
                "invalid": 1200,
                "reasons": [{"reason": "vocabulary", "column": "kind", "events": 1200, "new": True}],
            }
        ],
    }
