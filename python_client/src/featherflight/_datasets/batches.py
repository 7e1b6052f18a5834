"""Batches of a dataset as NumPy arrays: which columns, as what, and with what in place of nulls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from featherflight._datasets.batch import Batch, Place
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

    @property
    def entries(self) -> list[str]:
        """The names of a batch's entries that are made of it."""
        if self.kind != "ragged":
            return [self.name]
        return [self.name, f"{self.name}__{'offsets' if self.pad_to is None else 'length'}"]


@dataclass(frozen=True)
class BatchPlan:
    """What every batch holds, and how the server is asked for it."""

    parts: Sequence[Part]
    columns: Sequence[str] = ()
    dense: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def matrix_columns(self) -> list[str]:
        """Names of the columns that stand side by side, a vector once for all its places."""
        names = {part.name for part in self.parts if part.kind == "matrix"}
        return [column for matrix in self.dense if matrix["name"] in names for column in matrix["columns"]]

    def batch(self, place: Place, rows: pa.RecordBatch) -> Batch:
        """The arrays of one record batch, by name: views of it where its bytes are what is wanted."""
        found: dict[str, Array] = {}
        for part in self.parts:
            column: Any = rows.column(part.name)
            if part.kind == "ragged":
                found.update(_lists(part, column))
                continue
            width = column.type.list_size
            values = column.flatten().to_numpy(zero_copy_only=True)
            if part.kind == "matrix":
                found[part.name] = values.reshape(-1, width)
            else:
                found[part.name] = values if part.kind == "numbers" else values.astype(np.bool_)
        return Batch.at(place, found)


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
