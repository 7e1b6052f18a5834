"""The same batches as tensors, for DataLoader and StatefulDataLoader; only `Dataset.torch` imports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from torch.utils.dlpack import from_dlpack

from featherflight._datasets.batch import Batch
from featherflight._datasets.batches import Array, BatchPlan
from featherflight._datasets.stream import Stream
from featherflight.errors import InvalidArgumentError


def _tensor(array: Array) -> torch.Tensor:
    try:
        return from_dlpack(array)
    except BufferError:
        # An earlier NumPy lets nobody share what it may not write to itself.
        return torch.from_numpy(array.copy())


class TorchBatches(IterableDataset[Batch]):
    """The batches of a split as tensors, sharded over ranks and a DataLoader's workers.

    Each item is a whole batch: give it to `DataLoader(..., batch_size=None)`, or take `loader()`. Rows come in the same
    order for any number of ranks and workers. An iteration reads the epoch that `set_epoch` set, from where a loaded
    state left off; as in torch's own DistributedSampler, the epoch does not advance by itself, but `loader()` advances
    it.
    """

    def __init__(self, stream: Stream, epoch: int, plan: BatchPlan) -> None:
        super().__init__()
        self._stream = stream
        self._plan = plan
        # In shared memory, so that workers that live for several epochs see what is set here.
        self._from = torch.tensor([epoch, 0], dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]
        self._resume: dict[str, Any] | None = None
        self._worker: dict[str, Any] | None = None

    @property
    def feature_names(self) -> list[str]:
        """The columns of the matrix, in its order; a vector stands once for all its places."""
        return self._plan.matrix_columns

    @property
    def epoch(self) -> int:
        """The epoch of the next iteration."""
        return int(self._from[0])

    def __len__(self) -> int:
        """How many batches this rank has in the coming iteration, of all its workers."""
        return replace(self._stream.shard, start=int(self._from[1])).batches

    def __iter__(self) -> Iterator[Batch]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info is not None else (0, 1)
        at = {**self._share(), "worker": worker, "workers": workers}
        at |= {"epoch": int(self._from[0]), "start": int(self._from[1]), "next": 0}
        resume, self._resume = self._resume, None
        if resume is not None:
            for name in (*self._share(), "worker", "workers"):
                if resume.get(name) != at[name]:
                    raise InvalidArgumentError(
                        f"this state was taken with {name} {resume.get(name)} and is loaded with {at[name]}: for other "
                        "numbers take state_dict(after=batch)"
                    )
            at = dict(resume)
        self._worker = at
        return self._read(at)

    def _read(self, at: dict[str, Any]) -> Iterator[Batch]:
        numbers = {name: at[name] for name in ("worker", "workers")}
        for place, rows in self._stream.read(at["epoch"], at["start"], first=at["next"], **numbers):
            at["next"] = place.index + 1
            arrays = self._plan.batch(place, rows)
            yield Batch.at(place, {name: _tensor(array) for name, array in arrays.items()})
        if self._worker is at:
            self._worker = None

    def _share(self) -> dict[str, Any]:
        shard = self._stream.shard
        return {name: getattr(shard, name) for name in ("rank", "world_size", "batch_size", "last")}

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the next iteration, from its start; that of a state that was loaded goes on where it says."""
        if epoch != self.epoch or self._resume is not None:
            self._start_at(epoch, 0)

    def _start_at(self, epoch: int, position: int) -> None:
        self._from[0], self._from[1] = epoch, position
        self._resume = self._worker = None

    def state_dict(self, after: Batch | None = None) -> dict[str, Any]:
        """Where to go on after a batch, for any number of workers and ranks.

        For another number of ranks take the least of what the ranks say. Without `after` it is what torchdata's
        StatefulDataLoader asks its workers for, and is good for the same number of workers and ranks.

        Raises:
            InvalidArgumentError: the batch was made anew by what moved or changed it, and does not know its place.
        """
        if after is not None:
            return self._stream.state_after(after)
        state = self._stream.state(int(self._from[0]), int(self._from[1]))
        return state if self._worker is None else {**state, "worker": dict(self._worker)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where a state says; its dataset, split and seed must be this one's."""
        epoch, position = self._stream.check_state(state)
        worker = state.get("worker")
        self._start_at(epoch, position)
        self._resume = dict(worker) if worker is not None else None

    def loader(self, num_workers: int = 0, **options: Any) -> TorchLoader:
        """A DataLoader over this that advances the epoch and knows where it is."""
        return TorchLoader(self, num_workers, options)


def _as_it_is(batch: Any) -> Any:
    return batch


class TorchLoader:
    """Epoch after epoch of a dataset through a DataLoader; `state_dict()` is where to go on after the last batch.

    An iteration that is read to its end advances the epoch. One that is broken off, be it after its last batch, does
    not: the next begins where that one began, at the epoch's start or the state that was loaded. To go on after the
    last batch instead, load the state: `loader.load_state_dict(loader.state_dict())`.
    """

    def __init__(self, batches: TorchBatches, num_workers: int, options: Mapping[str, Any]) -> None:
        for name in ("batch_size", "shuffle", "sampler", "batch_sampler", "drop_last"):
            if name in options:
                raise InvalidArgumentError(f"`{name}` is said where the batches are made: dataset.torch(…)")
        for name in ("in_order", "collate_fn"):
            if name in options:
                raise InvalidArgumentError(
                    f"`{name}` would take batches out of their places; make a DataLoader yourself"
                )
        self.dataset = batches
        self._loader = DataLoader(batches, batch_size=None, num_workers=num_workers, collate_fn=_as_it_is, **options)
        self._last: Batch | None = None

    def __len__(self) -> int:
        """How many batches the coming iteration has."""
        return len(self.dataset)

    def __iter__(self) -> Iterator[Batch]:
        self._last = None
        return self._read(self.dataset.epoch)

    def _read(self, epoch: int) -> Iterator[Batch]:
        for batch in self._loader:
            self._last = batch
            yield batch
        self.set_epoch(epoch + 1)

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the next iteration, from its start; that of a state that was loaded goes on where it says."""
        self.dataset.set_epoch(epoch)
        self._last = None

    def state_dict(self) -> dict[str, Any]:
        """Where to go on after the last batch that was given out."""
        return self.dataset.state_dict(after=self._last)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where a state says."""
        self.dataset.load_state_dict(state)
        self._last = None
