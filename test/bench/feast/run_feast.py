"""The same training set by Feast, run by a Python that has `feast[duckdb]`: `run_feast.py FOLDER FRAME.parquet STORE OUT.arrow`.

Prints one line of JSON: seconds of `get_historical_features(...).to_arrow()` over FileSources on the same files, and rows.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
import warnings
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa

warnings.simplefilter("ignore")

from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float32, Float64, Int32, Int64

# Without it the whole machine's memory goes, and with it whatever the kernel chooses to kill.
MEMORY_LIMIT_BYTES = 12 * 2**30
VIEWS = ("profile", "activity")
FEATURES = {
    "score": Float64,
    "mean_7d": Float64,
    "mean_30d": Float64,
    "level": Int32,
    "total": Int64,
    "share": Float32,
}


def open_store(data: Path, kind: str, scratch: Path) -> FeatureStore:
    """A local Feast store of the two views, applied."""
    store = FeatureStore(
        config=RepoConfig(
            project="bench",
            provider="local",
            registry=str(scratch / "registry.db"),
            offline_store={"type": kind},
            online_store={"type": "sqlite", "path": str(scratch / "online.db")},
            entity_key_serialization_version=3,
        )
    )
    user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
    views = [
        FeatureView(
            name=view,
            entities=[user],
            ttl=timedelta(days=30),
            schema=[Field(name=name, dtype=dtype) for name, dtype in FEATURES.items()],
            source=FileSource(
                name=f"{view}_source",
                path=str(data / f"{view}.parquet"),
                timestamp_field="event_timestamp",
                created_timestamp_column="created_timestamp",
            ),
        )
        for view in VIEWS
    ]
    store.apply([user, *views])
    return store


def main(folder: Path, frame: Path, kind: str, target: Path) -> None:
    """Measures one request."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    entity_df = pd.read_parquet(frame)
    refs = [f"{view}:{name}" for view in VIEWS for name in FEATURES]
    with tempfile.TemporaryDirectory() as scratch:
        store = open_store(folder / "data", kind, Path(scratch))
        started = time.perf_counter()
        table = store.get_historical_features(entity_df=entity_df, features=refs, full_feature_names=True).to_arrow()
        took = time.perf_counter() - started
    with pa.OSFile(str(target), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    print(json.dumps({"seconds": took, "rows": table.num_rows}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
