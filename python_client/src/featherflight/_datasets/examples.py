"""Rows one by one as dicts, with the methods that an `IterableDataset` of Hugging Face has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from featherflight._datasets.batch import Place
from featherflight._datasets.stream import Stream


class Examples:
    """The rows of a split as dicts of Python values.

    Each iteration reads one epoch, from where a loaded state left off; the next one is the epoch after it. Where one is
    broken off, the next begins where it began; `load_state_dict(state_dict())` goes on after the last row instead.
    """

    def __init__(self, stream: Stream, epoch: int) -> None:
        self._stream = stream
        self._begin = (epoch, 0)
        self._read_to = (epoch, 0)

    @property
    def column_names(self) -> list[str]:
        """The columns of an example."""
        return list(self._stream.source.command["columns"])

    @property
    def epoch(self) -> int:
        """The epoch of the next iteration."""
        return self._begin[0]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._read_to = self._begin
        return self._read()

    def _read(self) -> Iterator[dict[str, Any]]:
        for place, rows in self._stream.read(*self._begin):
            for number, example in enumerate(rows.to_pylist(), 1):
                self._read_to = _after(self._stream, place, number)
                yield example
        self._start_at(self.epoch + 1, 0)

    def iter(self, batch_size: int) -> Iterator[dict[str, list[Any]]]:
        """The same rows as dicts of lists, of so many rows each."""
        self._read_to = self._begin
        return self._read_many(replace(self._stream, shard=replace(self._stream.shard, batch_size=batch_size)))

    def _read_many(self, stream: Stream) -> Iterator[dict[str, list[Any]]]:
        for place, rows in stream.read(*self._begin):
            self._read_to = _after(stream, place, place.rows)
            yield rows.to_pydict()
        self._start_at(self.epoch + 1, 0)

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the next iteration, from its start; that of a state that was loaded goes on where it says."""
        if epoch != self.epoch:
            self._start_at(epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        """Where to go on after the last row that was given out.

        Of one rank that is the row after it. Several ranks read in rounds of `batch_size` rows each: where one stops
        within a round, the rows of that round come again.
        """
        return self._stream.state(*self._read_to)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where a state says; its dataset, split and seed must be this one's."""
        self._start_at(*self._stream.check_state(state))

    def _start_at(self, epoch: int, position: int) -> None:
        self._begin = self._read_to = (epoch, position)


def _after(stream: Stream, place: Place, rows: int) -> tuple[int, int]:
    """Epoch and position up to which all is read, when this rank has read so many rows of a batch."""
    shard = replace(stream.shard, start=place.start)
    if rows == place.rows:
        return place.epoch, shard.consumed(place.index + 1)
    return place.epoch, min(shard.rows, shard.consumed(place.index) + (rows if shard.world_size == 1 else 0))
