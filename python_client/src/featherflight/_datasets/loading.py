"""Reading a dataset batch by batch, epoch by epoch, and going on where one left off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from featherflight._datasets.batch import Batch
from featherflight._datasets.batches import BatchPlan, read_batches
from featherflight._datasets.rows import RowSource
from featherflight._datasets.shard import Shard
from featherflight.errors import InvalidArgumentError

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
    plan: BatchPlan
    shard: Shard
    """From the start of an epoch."""

    def read(self, epoch: int, start: int, *, worker: int = 0, workers: int = 1, first: int = 0) -> Iterator[Batch]:
        """The batches of one worker of this rank in an epoch, from a position on."""
        if start >= self.shard.rows:
            return
        source = self.source
        order = {"seed": self.seed, "epoch": epoch if self.seed is not None else 0}
        ordered = replace(source, command={**source.command, **order, **_asked(self.plan)})
        shard = replace(self.shard, start=start)
        yield from read_batches(ordered, self.plan, shard, epoch, worker=worker, workers=workers, first=first)

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

    def state_after(self, batch: Batch) -> dict[str, Any]:
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


def _asked(plan: BatchPlan) -> dict[str, Any]:
    return {"columns": list(plan.columns), "dense": [dict(matrix) for matrix in plan.dense]}


class ArrayBatches:
    """The batches of a split as NumPy arrays, in this process.

    Each iteration reads one epoch, from where a loaded state left off; the next one is the epoch after it.
    """

    def __init__(self, stream: Stream, epoch: int) -> None:
        self._stream = stream
        self._convert: Callable[[Batch], Batch] = lambda batch: batch
        self._epoch = epoch
        self._start = 0
        self._last: Batch | None = None

    @property
    def feature_names(self) -> list[str]:
        """The columns of the matrix, in its order; a vector stands once for all its places."""
        return matrix_columns(self._stream.plan)

    def __len__(self) -> int:
        """How many batches the coming iteration has."""
        return replace(self._stream.shard, start=self._start).batches

    def __iter__(self) -> Iterator[Batch]:
        epoch, start = self._epoch, self._start
        for batch in self._stream.read(epoch, start):
            self._last = batch
            yield batch
        self._epoch, self._start, self._last = epoch + 1, 0, None

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the next iteration, from its start; that of a state that was loaded goes on where it says."""
        if epoch != self._epoch:
            self._epoch, self._start, self._last = epoch, 0, None

    def state_dict(self, after: Batch | None = None) -> dict[str, Any]:
        """Where to go on after a batch; None: the last that was given out."""
        batch = after if after is not None else self._last
        if batch is None:
            return self._stream.state(self._epoch, self._start)
        return self._stream.state_after(batch)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where a state says; its dataset, split and seed must be this one's."""
        self._epoch, self._start = self._stream.check_state(state)
        self._last = None


def matrix_columns(plan: BatchPlan) -> list[str]:
    """Names of the columns that stand side by side."""
    names = {part.name for part in plan.parts if part.kind == "matrix"}
    return [column for matrix in plan.dense if matrix["name"] in names for column in matrix["columns"]]
