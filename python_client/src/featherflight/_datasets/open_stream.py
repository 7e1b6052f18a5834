"""From what is asked of a dataset to the stream that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from featherflight._datasets.rank import distributed_rank
from featherflight._datasets.rows import RowSource
from featherflight._datasets.shard import Shard
from featherflight._datasets.stream import Stream

if TYPE_CHECKING:
    from featherflight._datasets.dataset import Dataset


def open_stream(
    dataset: Dataset,
    shape: Mapping[str, Any],
    schema: pa.Schema | None,
    *,
    split: str | None,
    seed: int | None,
    batch_size: int,
    rank: int | None,
    world_size: int | None,
    last: str | None,
    window_blocks: int | None,
    retry_seconds: float,
) -> Stream:
    """The stream of one rank: `shape` says which columns as what, `schema` what must come where that is known.

    Raises:
        InvalidArgumentError: what cannot be read as it is asked for, of whichever rows.
    """
    name, rows = dataset._split(split)
    at, of = distributed_rank(rank, world_size)
    shard = Shard(
        rows, batch_size, rank=at, world_size=of, last=last if last is not None else "uneven" if of == 1 else "pad"
    )
    if window_blocks is None:
        splits = dataset._shown["splits"]
        window_blocks = int(next(one["blocks"]["window_blocks"] for one in splits if one["name"] == name))
    command = {"type": "get_dataset", "dataset": dataset.reference, "split": name, "window_blocks": window_blocks}
    # What the server would refuse in the middle of an epoch it refuses now, by what it knows of all rows.
    dataset._store._transport.plan({**command, **shape, "batch_rows": batch_size, "end": 0})
    source = RowSource(dataset._store._transport.settings, dataset.id, {**command, **shape}, retry_seconds)
    return Stream(dataset.reference, dataset.id, name, seed, window_blocks, source, schema, shard)
