"""A split batch by batch in this process, epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pyarrow as pa

from featherflight._datasets.batch import Batch, Place
from featherflight._datasets.stream import Stream

if TYPE_CHECKING:
    from featherflight._datasets.batches import BatchPlan

T = TypeVar("T")


class Epochs(Generic[T]):
    """The batches of a split, in whatever shape.

    Each iteration reads one epoch, from where a loaded state left off; the next one is the epoch after it. Where one is
    broken off, the next begins where it began; `load_state_dict(state_dict())` goes on after the last batch instead.
    """

    def __init__(self, stream: Stream, epoch: int, shape: Callable[[Place, pa.RecordBatch], T]) -> None:
        self._stream = stream
        self._shape = shape
        self._epoch = epoch
        self._start = 0
        self._last: Place | None = None

    @property
    def epoch(self) -> int:
        """The epoch of the next iteration."""
        return self._epoch

    def __len__(self) -> int:
        """How many batches the coming iteration has."""
        return replace(self._stream.shard, start=self._start).batches

    def __iter__(self) -> Iterator[T]:
        self._last = None
        return self._read(self._epoch, self._start)

    def _read(self, epoch: int, start: int) -> Iterator[T]:
        for place, rows in self._stream.read(epoch, start):
            self._last = place
            yield self._shape(place, rows)
        self._epoch, self._start, self._last = epoch + 1, 0, None

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the next iteration, from its start; that of a state that was loaded goes on where it says."""
        if epoch != self._epoch:
            self._epoch, self._start, self._last = epoch, 0, None

    def state_dict(self) -> dict[str, Any]:
        """Where to go on after the last batch that was given out."""
        if self._last is None:
            return self._stream.state(self._epoch, self._start)
        return self._stream.state_after(self._last)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where a state says; its dataset, split and seed must be this one's."""
        self._epoch, self._start = self._stream.check_state(state)
        self._last = None


class ArrayBatches(Epochs[Batch]):
    """The batches of a split as NumPy arrays."""

    def __init__(self, stream: Stream, epoch: int, plan: BatchPlan) -> None:
        super().__init__(stream, epoch, plan.batch)
        self._plan = plan

    @property
    def feature_names(self) -> list[str]:
        """The columns of the matrix, in its order; a vector stands once for all its places."""
        return self._plan.matrix_columns

    def state_dict(self, after: Batch | None = None) -> dict[str, Any]:
        """Where to go on after a batch; None: the last that was given out."""
        return super().state_dict() if after is None else self._stream.state_after(after)
