"""One batch of a dataset: arrays or tensors by name, and where in the epoch it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from featherflight.errors import InvalidArgumentError


@dataclass(frozen=True)
class Place:
    """Where in an epoch the rows of a batch stand.

    Attributes:
        position: position of the first row in the epoch; rows follow each other in the epoch's order.
        rows: rows, filling included.
        padding: rows at the end that fill the batch up, and were or will be read at the start of the epoch.
        epoch: the epoch.
        index: this batch's number among those of its rank, from where reading began.
        start: the position where reading began.
    """

    position: int
    rows: int
    padding: int
    epoch: int
    index: int
    start: int


_NUMBERS = {field.name for field in fields(Place)}


class Batch(dict[str, Any]):
    """Arrays or tensors by name; the first axis is rows, but for the values and offsets of lists.

    Attributes:
        position: position of the first row in the epoch; rows follow each other in the epoch's order.
        rows: rows, filling included.
        padding: rows at the end that fill the batch up, and were or will be read at the start of the epoch.
        epoch: the epoch.
        index: this batch's number among those of its rank, from where reading began.
        start: the position where reading began.
    """

    position: int
    rows: int
    padding: int
    epoch: int
    index: int
    start: int

    @classmethod
    def at(cls, place: Place, values: Mapping[str, Any]) -> Batch:
        """A batch that knows its place."""
        batch = cls(values)
        vars(batch).update(vars(place))
        return batch

    def pin_memory(self) -> Batch:
        """The same batch in pinned memory, as a DataLoader with `pin_memory=True` asks for it: it keeps its place."""
        pinned = Batch({name: tensor.pin_memory() for name, tensor in self.items()})
        vars(pinned).update(vars(self))
        return pinned

    def __getattr__(self, name: str) -> Any:
        if name in _NUMBERS:
            raise InvalidArgumentError(
                f"this batch has lost its {name}: it was made anew, by whatever moved or changed its tensors; take the "
                "state from the batch as the loader gave it, or from loader.state_dict()"
            )
        raise AttributeError(name)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name}: {_describe(value)}" for name, value in self.items())
        if not vars(self).keys() >= _NUMBERS:
            return f"Batch(moved or changed; {shapes})"
        filled = f", {self.padding} of them filling" if self.padding else ""
        return f"Batch({self.rows} rows at position {self.position} of epoch {self.epoch}{filled}; {shapes})"


def _describe(value: Any) -> str:
    return f"{value.dtype}{list(value.shape)}"
