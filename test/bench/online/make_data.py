"""Writes the repository and the sources of the online benchmark: `make_data.py FOLDER ENTITIES ITEMS`.

Two views of a user with one row an entity and five features each (two float64, two int64, a string), one value in a hundred
null; and a view of an item like them. Events lie within the last ten days.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

VIEWS = {"profile": "user_id", "activity": "user_id", "item_stats": "item_id"}
FEATURES = {"score": "float64", "mean_7d": "float64", "level": "int64", "total": "int64", "segment": "string"}
DAY_US = 86_400_000_000

_DEFINITIONS = """import {{ batchSource, entity, featureView, parquet }} from 'featherflight';

export const user = entity('user', {{ joinKeys: {{ user_id: 'int64' }} }});
export const item = entity('item', {{ joinKeys: {{ item_id: 'int64' }} }});
{views}
"""

_VIEW = """
export const {view}Source = batchSource('{view}_source', {{
  table: parquet('data/{view}.parquet'),
  eventTimestamp: 'event_timestamp',
  createdTimestamp: 'created_timestamp',
}});
export const {view} = featureView('{view}', {{
  entities: [{entity}],
  source: {view}Source,
  ttl: '365d',
  features: {{ {features} }},
}});
"""


def feature_names(view: str) -> dict[str, str]:
    """The view's features and their types; named by the view, so that no two are called alike."""
    return {f"{view}_{name}": kind for name, kind in FEATURES.items()}


def make_source(view: str, rows: int, now_us: int, seed: int) -> pa.Table:
    """One row an entity, in no order."""
    rng = np.random.default_rng(seed)
    event = now_us - DAY_US - rng.integers(0, 10 * DAY_US, rows)
    values = {
        "score": rng.normal(size=rows),
        "mean_7d": rng.normal(size=rows),
        "level": rng.integers(0, 100, rows),
        "total": rng.integers(0, 2**40, rows),
        "segment": np.char.add("segment_", rng.integers(0, 10_000, rows).astype(str)).astype(object),
    }
    columns = {
        VIEWS[view]: pa.array(rng.permutation(rows)),
        "event_timestamp": pa.array(event).cast(pa.timestamp("us", "UTC")),
        "created_timestamp": pa.array(event + 60_000_000).cast(pa.timestamp("us", "UTC")),
    }
    for name, column in values.items():
        columns[f"{view}_{name}"] = pa.array(column, mask=rng.random(rows) < 0.01)
    return pa.table(columns)


def main(folder: Path, entities: int, items: int) -> None:
    """Config, definitions and data."""
    (folder / "data").mkdir(parents=True)
    (folder / "features").mkdir()
    (folder / "featherflight.config.ts").write_text(
        "import { defineConfig, redis } from 'featherflight';\n"
        "export default defineConfig({ project: 'bench', onlineStore: redis({ url: 'redis://127.0.0.1:6379' }) });\n"
    )
    views = ""
    for view, key in VIEWS.items():
        features = ", ".join(f"{name}: {{ type: '{kind}' }}" for name, kind in feature_names(view).items())
        views += _VIEW.format(view=view, entity=key.removesuffix("_id"), features=features)
    (folder / "features" / "users.ts").write_text(_DEFINITIONS.format(views=views))
    now_us = time.time_ns() // 1000
    for seed, (view, key) in enumerate(VIEWS.items()):
        rows = entities if key == "user_id" else items
        pq.write_table(make_source(view, rows, now_us, seed), folder / "data" / f"{view}.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
