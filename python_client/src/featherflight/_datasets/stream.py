"""What is read of a dataset: which rows in which order and batches, by which rank, and where one goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from featherflight._datasets.batch import Batch, Place
from featherflight._datasets.reading import read_batches
from featherflight._datasets.rows import RowSource
from featherflight._datasets.shard import Shard
from featherflight.errors import DataLossError, InvalidArgumentError

_STATE_VERSION = 1


@dataclass(frozen=True)
class Stream:
    """What is read: of which dataset and split, in which order, in which batches, by which rank."""

    dataset: str
    """`NAME@VERSION`."""
    id: str
    split: str
    seed: int | None
    window_blocks: int
    source: RowSource
    schema: pa.Schema | None
    """What its batches must be; None where the server lays them out."""
    shard: Shard
    """From the start of an epoch."""

    def read(
        self, epoch: int, start: int, *, worker: int = 0, workers: int = 1, first: int = 0
    ) -> Iterator[tuple[Place, pa.RecordBatch]]:
        """The batches of one worker of this rank in an epoch, from a position on."""
        if start >= self.shard.rows:
            return
        order = {"seed": self.seed, "epoch": epoch if self.seed is not None else 0}
        ordered = replace(self.source, command={**self.source.command, **order})
        shard = replace(self.shard, start=start)
        for place, rows in read_batches(ordered, shard, epoch, worker=worker, workers=workers, first=first):
            yield place, self._conform(rows)

    def state(self, epoch: int, position: int) -> dict[str, Any]:
        """The few numbers from which any number of ranks and workers goes on at a position."""
        return {
            "version": _STATE_VERSION,
            "dataset": self.dataset,
            "id": self.id,
            "split": self.split,
            "seed": self.seed,
            "window_blocks": self.window_blocks,
            "epoch": epoch,
            "position": position,
        }

    def state_after(self, batch: Batch | Place) -> dict[str, Any]:
        """The state when every rank has read as many batches as this rank with `batch`."""
        return self.state(batch.epoch, replace(self.shard, start=batch.start).consumed(batch.index + 1))

    def check_state(self, state: Mapping[str, Any]) -> tuple[int, int]:
        """Epoch and position of a state; InvalidArgumentError where it is of something else."""
        if state.get("version") != _STATE_VERSION:
            raise InvalidArgumentError(f"this is no state of a dataset, or one of another release: {dict(state)}")
        for name, own in self.state(0, 0).items():
            if name not in ("version", "epoch", "position") and state.get(name) != own:
                raise InvalidArgumentError(
                    f"this state is of {name} {state.get(name)!r}, and here it is {own!r}: "
                    "a state goes on only in the order that it was taken in",
                    details={"state": dict(state), name: own},
                )
        epoch, position = int(state["epoch"]), int(state["position"])
        if not 0 <= position <= self.shard.rows:
            raise InvalidArgumentError(f"position {position} of this state is outside the {self.shard.rows} rows")
        return epoch, position

    def _conform(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        if self.schema is None:
            return rows
        if not rows.schema.equals(self.schema):
            raise DataLossError(f"{self.dataset} came with other columns than it has: {rows.schema}")
        return pa.RecordBatch.from_arrays(rows.columns, schema=self.schema)
