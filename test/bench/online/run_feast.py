"""Feast's side of the online benchmark, run by a Python that has `feast[duckdb,redis]`: `run_feast.py FOLDER REDIS_PORT apply|materialize`.

`FOLDER/data` holds the sources, `FOLDER/feast` its repository, from which `feast serve` then serves. `materialize` prints one line
of JSON: the seconds of `materialize` from the store's opening on, imports not counted.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from datetime import datetime, timedelta
from pathlib import Path

warnings.simplefilter("ignore")

from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String

TYPES = {"score": Float64, "mean_7d": Float64, "level": Int64, "total": Int64, "segment": String}
VIEWS = ("profile", "activity")

_CONFIG = """project: bench
provider: local
registry: registry.db
offline_store: {{ type: duckdb }}
online_store: {{ type: redis, connection_string: "127.0.0.1:{port},db=1" }}
entity_key_serialization_version: 3
"""


def apply(folder: Path, port: str) -> None:
    """The config and the two views."""
    repository = folder / "feast"
    repository.mkdir()
    (repository / "feature_store.yaml").write_text(_CONFIG.format(port=port))
    user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
    views = [
        FeatureView(
            name=view,
            entities=[user],
            ttl=timedelta(days=365),
            schema=[Field(name=f"{view}_{name}", dtype=dtype) for name, dtype in TYPES.items()],
            source=FileSource(
                name=f"{view}_source",
                path=str(folder / "data" / f"{view}.parquet"),
                timestamp_field="event_timestamp",
                created_timestamp_column="created_timestamp",
            ),
        )
        for view in VIEWS
    ]
    FeatureStore(repo_path=str(repository)).apply([user, *views])


def materialize(folder: Path) -> None:
    """Everything of the two views up to now."""
    end = datetime.now().astimezone()
    store = FeatureStore(repo_path=str(folder / "feast"))
    started = time.perf_counter()
    store.materialize(end - timedelta(days=30), end, feature_views=list(VIEWS))
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    if sys.argv[3] == "apply":
        apply(Path(sys.argv[1]), sys.argv[2])
    else:
        materialize(Path(sys.argv[1]))
