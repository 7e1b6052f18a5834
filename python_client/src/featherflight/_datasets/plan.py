"""From what a dataset's columns are to what a model takes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from featherflight._datasets.batches import BatchPlan, Part
from featherflight.errors import InvalidArgumentError, NotFoundError

_DTYPES = ("float32", "float64", "int32", "int64")


def plan_batches(
    dataset: str,
    schema: pa.Schema,
    roles: Mapping[str, str],
    vocabularies: Sequence[str],
    *,
    features: Sequence[str] | None,
    labels: Sequence[str] | None,
    columns: Sequence[str],
    matrix: str | None,
    dtype: str,
    fill: float | None,
    mask: bool,
    pad: Mapping[str, int],
    statistics: Mapping[str, Mapping[str, Any]],
) -> BatchPlan:
    """Plans the entries of a batch.

    Numbers among the features stand side by side in `matrix`, or each for itself where that is None; text is ids of the
    dataset's vocabulary; lists are values and offsets, or padded.

    Raises:
        NotFoundError: a column that the dataset does not have.
        InvalidArgumentError: a column that cannot become a tensor; the message names it, and the ways out.
    """
    if dtype not in _DTYPES:
        raise InvalidArgumentError(f"dtype={dtype!r}: it is one of {', '.join(map(repr, _DTYPES))}")
    chosen = list(features) if features is not None else [name for name, role in roles.items() if role == "feature"]
    targets = list(labels) if labels is not None else [name for name, role in roles.items() if role == "label"]
    for name in [*chosen, *targets, *columns, *pad]:
        if name not in roles:
            raise NotFoundError(
                f'{dataset} has no column "{name}"; it has {", ".join(roles)}', details={"column": name}
            )
    for name in pad:
        if name not in (*chosen, *targets, *columns) or not pa.types.is_list(schema.field(name).type):
            raise InvalidArgumentError(f'pad: "{name}" is no list among the columns that are asked for')
    if fill is not None and not math.isfinite(fill):
        raise InvalidArgumentError(f"fill={fill!r}: it is a finite number, or None for NaN")
    planner = _Planner(dataset, schema, set(vocabularies), dtype, fill, mask, pad, statistics)
    together: list[str] = []
    for name in chosen:
        if matrix is not None and planner.is_number(name):
            together.append(name)
        else:
            planner.add(name, dtype, fill)
    if together and matrix is not None:
        planner.add_matrix(matrix, together)
    for name in dict.fromkeys([*targets, *columns]):
        if name not in chosen or name in together:
            planner.add(name, dtype, None)
    taken: set[str] = set()
    for entry in (entry for part in planner.parts for entry in part.entries):
        if entry in taken:
            raise InvalidArgumentError(
                f'two entries of a batch would be named "{entry}": leave one of the columns out, or name the matrix '
                "differently",
                details={"name": entry},
            )
        taken.add(entry)
    return BatchPlan(tuple(planner.parts), tuple(planner.columns), tuple(planner.dense))


class _Planner:
    def __init__(
        self,
        dataset: str,
        schema: pa.Schema,
        vocabularies: set[str],
        dtype: str,
        fill: float | None,
        mask: bool,
        pad: Mapping[str, int],
        statistics: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._dataset = dataset
        self._schema = schema
        self._vocabularies = vocabularies
        self._dtype = dtype
        self._fill = fill
        self._mask = mask
        self._pad = pad
        self._statistics = statistics
        self.parts: list[Part] = []
        self.columns: list[str] = []
        self.dense: list[dict[str, Any]] = []

    def is_number(self, name: str) -> bool:
        """Whether a column is one number, or a vector of a fixed length, a row."""
        kind = self._schema.field(name).type
        return _is_scalar(kind) or (pa.types.is_fixed_size_list(kind) and _is_scalar(kind.value_type))

    def add_matrix(self, name: str, columns: Sequence[str]) -> None:
        """Columns side by side."""
        self._add_dense(name, columns, self._dtype, "matrix", self._fill)

    def add(self, name: str, dtype: str, fill: float | None) -> None:
        """A column as an entry of its own."""
        kind = self._schema.field(name).type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            if not _is_scalar(kind.value_type) or pa.types.is_boolean(kind.value_type):
                raise self._refuse(name, kind, "is a list of what is no number")
            if not pa.types.is_floating(kind.value_type) and self._statistics[name].get("null_elements"):
                raise self._refuse(name, kind, "has lists of integers with nulls in them")
            self.columns.append(name)
            self.parts.append(Part(name, "ragged", self._pad.get(name)))
        elif pa.types.is_boolean(kind):
            self._add_dense(name, [name], "int32", "flags", fill)
        elif pa.types.is_integer(kind) or name in self._vocabularies:
            self._add_dense(name, [name], "int64", "numbers", fill)
        elif self.is_number(name):
            vector = pa.types.is_fixed_size_list(kind)
            self._add_dense(name, [name], dtype, "matrix" if vector else "numbers", fill)
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            raise self._refuse(name, kind, "has too many different values for a vocabulary")
        else:
            raise self._refuse(name, kind, "is no number")

    def _add_dense(self, name: str, columns: Sequence[str], dtype: str, kind: str, fill: float | None) -> None:
        if dtype.startswith("int") and fill is not None:
            if fill != int(fill):
                raise InvalidArgumentError(f'fill={fill!r} is no integer, and "{name}" is one of {dtype}')
            fill = int(fill)
        self.dense.append({"name": name, "columns": list(columns), "type": dtype, "fill": fill, "mask": self._mask})
        self.parts.append(Part(name, kind))
        if self._mask:
            self.parts.append(Part(f"{name}__mask", "flags" if kind != "matrix" else "matrix"))

    def _refuse(self, name: str, kind: pa.DataType, what: str) -> InvalidArgumentError:
        return InvalidArgumentError(
            f'column "{name}" ({kind}) of {self._dataset} {what}, and cannot become a tensor: name the `features` '
            "without it, encode it in the frame or by an on-demand feature, or read it with to_batches()",
            details={"column": name},
        )


def _is_scalar(kind: pa.DataType) -> bool:
    return (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )
