"""The rows of an epoch in the batches of one worker of one rank, each with its place."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from featherflight._datasets.batch import Place
from featherflight._datasets.rows import RowRange, RowSource
from featherflight._datasets.shard import Shard


def read_batches(
    source: RowSource, shard: Shard, epoch: int, *, worker: int = 0, workers: int = 1, first: int = 0
) -> Iterator[tuple[Place, pa.RecordBatch]]:
    """The batches of one worker of one rank, from its rank's batch number `first` on."""
    index = first + (worker - first) % workers
    step = workers * shard.round_rows
    start = shard.begin(index)
    if start < shard.end:
        for position, rows in source.read(RowRange(start, shard.end, step, shard.batch_size)):
            padding = shard.batch_size - rows.num_rows if shard.last == "pad" else 0
            if padding:
                rows = _joined([rows, *_filling(source, shard, position + rows.num_rows, padding)])
            yield Place(position, rows.num_rows, padding, epoch, index, shard.start), rows
            index += workers
    while index < shard.batches:
        size, position = shard.batch_size, shard.begin(index)
        rows = _joined(list(_filling(source, shard, position, size)))
        yield Place(position, size, size, epoch, index, shard.start), rows
        index += workers


def _filling(source: RowSource, shard: Shard, position: int, rows: int) -> Iterator[pa.RecordBatch]:
    """Rows of the epoch's start, over and over where it has fewer than are needed."""
    while rows > 0:
        begin = position % shard.rows
        end = min(shard.rows, begin + rows)
        for _, batch in source.read(RowRange(begin, end, end - begin, end - begin)):
            yield batch
        position, rows = position + (end - begin), rows - (end - begin)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
