"""Writes the repository and the events of the benchmark of windows: `make_data.py FOLDER EVENTS KEYS`.

Events over four weeks in no order; how active a user is varies by a lognormal factor. One amount in twenty is null.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START_US = 1_767_225_600_000_000
DAY_US = 86_400 * 1_000_000
DAYS = 28
ITEMS = 20_000
TYPES = ("view", "start", "completion", "purchase")
CATEGORIES = tuple(f"category {number:02}" for number in range(40))

WINDOWS = {"1h": 3_600_000_000, "24h": DAY_US, "7d": 7 * DAY_US}
HOPS = {"1h": 300_000_000, "24h": 3_600_000_000, "7d": 3_600_000_000}
FUNCTIONS = {
    "events": "count()",
    "spent": "sum('amount', { where: \"event_type = 'purchase'\" })",
    "quantity": "mean('quantity')",
    "completion": "rate({ condition: \"event_type = 'completion'\", over: \"event_type in ('start', 'completion')\" })",
    "greatest": "max('amount')",
    "category": "last('category')",
    "items": "countDistinct('item_id')",
    "spread": "stddev('amount')",
    "favourites": "topK('category', { k: 3 })",
    "recent": "lastN('item_id', { n: 5 })",
}
FEATURES = tuple(f"{name}_{window}" for name in FUNCTIONS for window in WINDOWS)

_DEFINITIONS = """import {{
  count, countDistinct, entity, eventSource, last, lastN, max, mean, parquet, rate, stddev, streamFeatureView, sum, topK,
}} from 'featherflight';

export const user = entity('user', {{ joinKeys: {{ user_id: 'int64' }} }});
export const actions = eventSource('actions', {{
  history: parquet('data/events.parquet'),
  eventTimestamp: 'event_time',
  columns: {{
    user_id: 'int64',
    event_type: {{ type: 'string', values: {types} }},
    item_id: 'int64',
    category: 'string',
    amount: 'float64',
    quantity: 'int32',
  }},
}});
export const activity = streamFeatureView('activity', {{
  entities: [user],
  source: actions,
  features: {{
{features}
  }},
}});
"""


def make_events(events: int, keys: int) -> pa.Table:
    """All events of all users."""
    rng = np.random.default_rng(7)
    weights = rng.lognormal(0, 0.7, keys)
    bounds = np.cumsum(weights)
    user = np.searchsorted(bounds, rng.random(events) * bounds[-1]).clip(max=keys - 1)
    popularity = rng.zipf(1.3, events) % ITEMS
    amount = np.round(rng.lognormal(3, 1, events), 2)
    return pa.table(
        {
            "event_time": pa.array(START_US + rng.integers(0, DAYS * DAY_US, events)).cast(pa.timestamp("us", "UTC")),
            "user_id": user,
            "event_type": pa.DictionaryArray.from_arrays(
                pa.array(rng.choice(4, events, p=[0.6, 0.2, 0.15, 0.05]).astype(np.int8)), list(TYPES)
            ).cast(pa.string()),
            "item_id": popularity.astype(np.int64),
            "category": pa.DictionaryArray.from_arrays(
                pa.array((popularity % len(CATEGORIES)).astype(np.int8)), list(CATEGORIES)
            ).cast(pa.string()),
            "amount": pa.array(amount, mask=rng.random(events) < 0.05),
            "quantity": rng.integers(1, 10, events).astype(np.int32),
        }
    )


def _call(function: str, window: str) -> str:
    """The call of a function with its window among its options."""
    if function.endswith("})"):
        return f"{function[:-3]}, window: '{window}' }})"
    return f"{function[:-1]}{'' if function.endswith('()') else ', '}{{ window: '{window}' }})"


def make_repository(folder: Path, events: int, keys: int) -> None:
    """Config, definitions and data."""
    (folder / "data").mkdir(parents=True)
    (folder / "features").mkdir()
    (folder / "featherflight.config.ts").write_text(
        "import { defineConfig } from 'featherflight';\n"
        "export default defineConfig({ project: 'bench', flight: { port: 0 }, readable: ['data'] });\n"
    )
    features = "\n".join(
        f"    {name}_{window}: {_call(function, window)}," for name, function in FUNCTIONS.items() for window in WINDOWS
    )
    (folder / "features" / "activity.ts").write_text(_DEFINITIONS.format(types=list(TYPES), features=features))
    pq.write_table(make_events(events, keys), folder / "data" / "events.parquet")


if __name__ == "__main__":
    make_repository(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
