"""A dataset in every shape in which it streams, torch's aside, against a running server: dataset_streams.py URL."""

from __future__ import annotations

import itertools
import sys

import featherflight as ff
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

ROWS = 10_000
FEATURES = ["user_profile:age", "user_profile:score", "user_profile:city", "user_profile:path"]


def main(url: str) -> None:
    store = ff.connect(url, progress=False)
    frame = pd.DataFrame({"row": np.arange(ROWS), "user_id": np.arange(ROWS) * 7 % 1200})
    frame["event_timestamp"] = pd.Timestamp("2026-03-04", tz="UTC")
    split = {"random": {"parts": {"train": 0.9, "test": 0.1}}}
    dataset = store.create_dataset("streamed", frame, FEATURES, split=split)
    options = {"split": "train", "seed": 7}

    # One order, in every shape.
    batches = dataset.arrow(1000, **options)
    assert len(batches) == 9
    table = pa.Table.from_batches(list(batches))
    assert batches.epoch == 1
    assert table.schema.equals(dataset.schema, check_metadata=True)
    order = table.column("row").to_pylist()
    assert order == [row for batch in dataset.numpy(500, columns=["row"], **options) for row in batch["row"].tolist()]
    assert sorted(order) == sorted(dataset.to_arrow(split="train", columns=["row"]).column("row").to_pylist())
    assert order != sorted(order)
    frames = list(dataset.polars(1000, **options))
    assert pl.concat(frames).equals(pl.from_arrow(table))
    assert list(dataset.examples(300, **options)) == table.to_pylist()
    examples = dataset.examples(columns=["city", "row"], **options)
    assert examples.column_names == ["city", "row"]
    lists = list(examples.iter(64))
    assert [row for batch in lists for row in batch["row"]] == order
    assert [city for batch in lists for city in batch["city"]] == table.column("city").to_pylist()
    assert "torch" not in sys.modules

    # As they were saved; in the frame's order without shuffling.
    saved = dataset.to_arrow(split="train")
    assert table.sort_by("row").equals(saved.sort_by("row"))
    assert pa.Table.from_batches(list(dataset.arrow(split="train", shuffle=False))).equals(saved)
    shuffled = dataset.to_batches(split="train", seed=7, columns=["row"], batch_rows=700).read_all()
    assert shuffled.column("row").to_pylist() == order

    # Ranks share the rows, and any shape goes on after any other.
    ranks = [list(dataset.arrow(640, columns=["row"], rank=rank, world_size=4, **options)) for rank in range(4)]
    flat = [row for turn in zip(*ranks, strict=True) for batch in turn for row in batch.column("row").to_pylist()]
    assert flat == order + order[: len(flat) - len(order)]
    begun = dataset.polars(1000, columns=["row"], **options)
    reading = iter(begun)
    seen = [row for _ in range(3) for row in next(reading)["row"].to_list()]
    for shape in (dataset.arrow, dataset.numpy, dataset.examples, dataset.torch):
        resumed = shape(256, columns=["row"], **options)
        resumed.load_state_dict(begun.state_dict())
        assert seen + [row for item in resumed for row in rows_of(item)] == order, shape
    later = dataset.examples(columns=["row"], **options)
    later.load_state_dict(begun.state_dict())
    few = [example["row"] for example in itertools.islice(later, 17)]
    rest = dataset.polars(columns=["row"], **options)
    rest.load_state_dict(later.state_dict())
    assert seen + few + [row for item in rest for row in rows_of(item)] == order
    store.close()
    print("done")


def rows_of(item) -> list[int]:
    if isinstance(item, pa.RecordBatch):
        return item.column("row").to_pylist()
    return np.atleast_1d(item["row"]).tolist()


if __name__ == "__main__":
    main(sys.argv[1])
