"""Writes the repository and the source of the dataset benchmark: `make_data.py FOLDER KEYS COLUMNS`.

One view of float32 features, a row for each key, in numbers that no compression makes smaller.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START_US = 1_735_689_600_000_000

_DEFINITIONS = """import {{ batchSource, entity, featureView, parquet }} from 'featherflight';
export const user = entity('user', {{ joinKeys: {{ user_id: 'int64' }} }});
export const source = batchSource('source', {{ table: parquet('data/numbers.parquet'), eventTimestamp: 'event_timestamp' }});
export const numbers = featureView('numbers', {{ entities: [user], source, features: {{ {features} }} }});
"""


def main(folder: Path, keys: int, columns: int) -> None:
    """Writes both."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "features").mkdir()
    names = [f"f{number:02}" for number in range(columns)]
    (folder / "featherflight.config.ts").write_text(
        "import { defineConfig } from 'featherflight';\n"
        "export default defineConfig({ project: 'bench', flight: { port: 0 } });\n"
    )
    features = ", ".join(f"{name}: {{ type: 'float32' }}" for name in names)
    (folder / "features" / "numbers.ts").write_text(_DEFINITIONS.format(features=features))
    rng = np.random.default_rng(1)
    event = pa.array(np.full(keys, START_US)).cast(pa.timestamp("us", "UTC"))
    values = {name: rng.standard_normal(keys, dtype=np.float32) for name in names}
    pq.write_table(
        pa.table({"user_id": np.arange(keys), "event_timestamp": event, **values}),
        folder / "data" / "numbers.parquet",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
