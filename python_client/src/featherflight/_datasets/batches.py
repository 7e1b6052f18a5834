"""Batches of a dataset as NumPy arrays: which columns, as what, and with what in place of nulls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from featherflight._datasets.batch import Batch
from featherflight._datasets.rows import RowRange, RowSource
from featherflight._datasets.shard import Shard
from featherflight.errors import InvalidArgumentError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Part:
    """One entry of a batch, made of one column of the answer."""

    name: str
    kind: str
    """`matrix`: rows of several numbers; `numbers`: one a row; `flags`: numbers that are booleans; `ragged`: lists."""
    pad_to: int | None = None
    """Of lists: so many places a row, cut or filled with zeros; None: values and offsets."""


@dataclass(frozen=True)
class BatchPlan:
    """What every batch holds, and how the server is asked for it."""

    parts: Sequence[Part]
    columns: Sequence[str] = ()
    dense: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def arrays(self, batch: pa.RecordBatch) -> dict[str, Array]:
        """The arrays of one record batch, by name: views of it where its bytes are what is wanted."""
        found: dict[str, Array] = {}
        for part in self.parts:
            column: Any = batch.column(part.name)
            if part.kind == "ragged":
                found.update(_lists(part, column))
                continue
            width = column.type.list_size
            values = column.flatten().to_numpy(zero_copy_only=True)
            if part.kind == "matrix":
                found[part.name] = values.reshape(-1, width)
            else:
                found[part.name] = values if part.kind == "numbers" else values.astype(np.bool_)
        return found


def _lists(part: Part, column: Any) -> dict[str, Array]:
    offsets = column.offsets.to_numpy(zero_copy_only=True).astype(np.int64)
    values = column.values
    if values.null_count and not pa.types.is_floating(values.type):
        raise InvalidArgumentError(
            f'column "{part.name}" has lists of integers with nulls in them, which have no place in a tensor: leave it '
            "out, or read it with to_batches()",
            details={"column": part.name},
        )
    if values.null_count:
        values = values.fill_null(float("nan"))
    flat = values.to_numpy(zero_copy_only=False)[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    if part.pad_to is None:
        return {part.name: flat, f"{part.name}__offsets": offsets}
    lengths = np.minimum(np.diff(offsets), part.pad_to)
    padded = np.zeros((len(lengths), part.pad_to), dtype=flat.dtype)
    within = np.arange(part.pad_to)[None, :] < lengths[:, None]
    padded[within] = flat[(offsets[:-1, None] + np.arange(part.pad_to)[None, :])[within]]
    return {part.name: padded, f"{part.name}__length": lengths}


def read_batches(
    source: RowSource, plan: BatchPlan, shard: Shard, epoch: int, *, worker: int = 0, workers: int = 1, first: int = 0
) -> Iterator[Batch]:
    """The batches of one worker of one rank, from its rank's batch number `first` on."""
    index = first + (worker - first) % workers
    step = workers * shard.round_rows
    start = shard.begin(index)
    if start < shard.end:
        for position, rows in source.read(RowRange(start, shard.end, step, shard.batch_size)):
            arrays = plan.arrays(rows)
            padding = shard.batch_size - rows.num_rows if shard.last == "pad" else 0
            if padding:
                arrays = _joined(plan, [arrays, *_filling(source, plan, shard, position + rows.num_rows, padding)])
            yield _batch(arrays, shard, position, rows.num_rows + padding, padding, epoch, index)
            index += workers
    while index < shard.batches:
        position = shard.begin(index)
        arrays = _joined(plan, _filling(source, plan, shard, position, shard.batch_size))
        yield _batch(arrays, shard, position, shard.batch_size, shard.batch_size, epoch, index)
        index += workers


def _batch(
    arrays: dict[str, Array], shard: Shard, position: int, rows: int, padding: int, epoch: int, index: int
) -> Batch:
    batch = Batch(arrays)
    batch.position, batch.rows, batch.padding = position, rows, padding
    batch.epoch, batch.index, batch.start = epoch, index, shard.start
    return batch


def _filling(source: RowSource, plan: BatchPlan, shard: Shard, position: int, rows: int) -> list[dict[str, Array]]:
    """Rows of the epoch's start, over and over where it has fewer than are needed."""
    found: list[dict[str, Array]] = []
    while rows > 0:
        begin = position % shard.rows
        end = min(shard.rows, begin + rows)
        found += [plan.arrays(batch) for _, batch in source.read(RowRange(begin, end, end - begin, end - begin))]
        position, rows = position + (end - begin), rows - (end - begin)
    return found


def _joined(plan: BatchPlan, pieces: Sequence[dict[str, Array]]) -> dict[str, Array]:
    if len(pieces) == 1:
        return dict(pieces[0])
    offsets = {f"{part.name}__offsets" for part in plan.parts if part.kind == "ragged" and part.pad_to is None}
    joined: dict[str, Array] = {}
    for name in pieces[0]:
        arrays = [piece[name] for piece in pieces]
        joined[name] = _joined_offsets(arrays) if name in offsets else np.concatenate(arrays)
    return joined


def _joined_offsets(pieces: Sequence[Array]) -> Array:
    joined = pieces[0]
    for piece in pieces[1:]:
        joined = np.concatenate([joined, piece[1:] + joined[-1]])
    return joined
