"""Writes the repository and the sources of the training-set benchmark: `make_data.py FOLDER VIEW_ROWS KEYS`.

Two sources of VIEW_ROWS rows over a year, in no order; one row in a hundred repeats the key and event time of another
with a later created time and other values.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START_US = 1_735_689_600_000_000
YEAR_US = 365 * 86_400 * 1_000_000
VIEWS = ("profile", "activity")
FEATURES = {
    "score": "float64",
    "mean_7d": "float64",
    "mean_30d": "float64",
    "level": "int32",
    "total": "int64",
    "share": "float32",
}
TIE_SHARE = 0.01

_DEFINITIONS = """import {{ batchSource, entity, featureView, parquet }} from 'featherflight';

const user = entity('user', {{ joinKeys: {{ user_id: 'int64' }} }});
const features = {{
{features}
}} as const;
{views}
export {{ user }};
"""

_VIEW = """
export const {name}Source = batchSource('{name}_source', {{
  table: parquet('data/{name}.parquet'),
  eventTimestamp: 'event_timestamp',
  createdTimestamp: 'created_timestamp',
}});
export const {name} = featureView('{name}', {{ entities: [user], source: {name}Source, ttl: '30d', features }});
"""


def make_source(seed: int, rows: int, keys: int) -> pa.Table:
    """One source's rows."""
    rng = np.random.default_rng(seed)
    ties = int(rows * TIE_SHARE)
    first = rows - ties
    user = rng.integers(0, keys, first)
    event = START_US + rng.integers(0, YEAR_US, first)
    created = event + rng.integers(0, 3_600_000_000, first)
    tied = rng.choice(first, ties, replace=False)
    order = rng.permutation(rows)
    columns = {
        "user_id": np.concatenate([user, user[tied]])[order],
        "event_timestamp": _instants(np.concatenate([event, event[tied]])[order]),
        "created_timestamp": _instants(
            np.concatenate([created, created[tied] + rng.integers(1, 86_400_000_000, ties)])[order]
        ),
        "score": rng.normal(size=rows),
        "mean_7d": rng.normal(size=rows),
        "mean_30d": rng.normal(size=rows),
        "level": rng.integers(0, 100, rows).astype(np.int32),
        "total": rng.integers(0, 2**53, rows),
        "share": rng.random(rows, dtype=np.float32),
    }
    return pa.table(columns)


def _instants(us: np.ndarray) -> pa.Array:
    return pa.array(us).cast(pa.timestamp("us", "UTC"))


def make_repository(folder: Path, view_rows: int, keys: int) -> None:
    """Config, definitions and data."""
    (folder / "data").mkdir(parents=True)
    (folder / "features").mkdir()
    (folder / "featherflight.config.ts").write_text(
        "import { defineConfig } from 'featherflight';\n"
        "export default defineConfig({ project: 'bench', flight: { port: 0 }, readable: ['data'] });\n"
    )
    features = "\n".join(f"  {name}: {{ type: '{kind}' }}," for name, kind in FEATURES.items())
    views = "".join(_VIEW.format(name=name) for name in VIEWS)
    (folder / "features" / "user.ts").write_text(_DEFINITIONS.format(features=features, views=views))
    for seed, name in enumerate(VIEWS):
        pq.write_table(make_source(seed, view_rows, keys), folder / "data" / f"{name}.parquet")


if __name__ == "__main__":
    make_repository(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
