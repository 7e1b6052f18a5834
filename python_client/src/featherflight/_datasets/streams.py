"""A dataset as streams of batches, epoch after epoch: `Dataset`'s methods that train.

There are two lists of arguments, those of `_open_rows` and of `_open_tensors`; each method takes one of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import pyarrow as pa

from featherflight._datasets.epochs import ArrayBatches, Epochs
from featherflight._datasets.examples import Examples
from featherflight._datasets.open_stream import open_stream
from featherflight._datasets.stream import Stream
from featherflight._optional import require

if TYPE_CHECKING:
    import polars as pl

    from featherflight._datasets.batches import BatchPlan
    from featherflight._datasets.dataset import Dataset
    from featherflight._datasets.torch import TorchBatches

_P = ParamSpec("_P")
_Opened = TypeVar("_Opened")
_Read = TypeVar("_Read")


def _open_rows(
    self: Dataset,
    batch_size: int = 4096,
    *,
    split: str | None = None,
    columns: Sequence[str] | None = None,
    shuffle: bool = True,
    seed: int = 0,
    epoch: int = 0,
    rank: int | None = None,
    world_size: int | None = None,
    last: str | None = None,
    window_blocks: int | None = None,
    retry_seconds: float = 60.0,
) -> tuple[Stream, int]:
    """Rows as they were saved.

    Args:
        batch_size: rows of a batch.
        split: which one; needed where there are several.
        columns: these columns; None: all.
        shuffle: in an order that depends on the dataset, the split, `seed` and the epoch alone; False: in the frame's.
        seed: of that order.
        epoch: the first one.
        rank: this process among `world_size`; None: as torch.distributed says, else the only one.
        world_size: how many processes share the rows.
        last: what becomes of a last round of batches that is not full: "drop", "pad" (with the first rows of the
            epoch) or "uneven". None: "uneven" for one rank, "pad" for several.
        window_blocks: how far rows are mixed, see the reference on the order of an epoch; None: as the dataset says.
        retry_seconds: how long it is tried again where the server is away.

    Raises:
        NotFoundError: no such split or column.
        InvalidArgumentError: no such `last`, or more ranks than rows.
    """
    names = list(columns) if columns is not None else self.schema.names
    for name in names:
        self._role(name)
    schema = pa.schema([self.schema.field(name) for name in names])
    stream = open_stream(
        self,
        {"columns": names},
        schema,
        split=split,
        seed=seed if shuffle else None,
        batch_size=batch_size,
        rank=rank,
        world_size=world_size,
        last=last,
        window_blocks=window_blocks,
        retry_seconds=retry_seconds,
    )
    return stream, epoch


def _open_tensors(
    self: Dataset,
    batch_size: int = 4096,
    *,
    split: str | None = None,
    features: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    columns: Sequence[str] = (),
    matrix: str | None = "features",
    dtype: str = "float32",
    fill: float | None = None,
    mask: bool = False,
    pad: Mapping[str, int] | None = None,
    shuffle: bool = True,
    seed: int = 0,
    epoch: int = 0,
    rank: int | None = None,
    world_size: int | None = None,
    last: str | None = None,
    window_blocks: int | None = None,
    retry_seconds: float = 60.0,
) -> tuple[Stream, int, BatchPlan]:
    """Rows as arrays of numbers.

    Args:
        batch_size: rows of a batch.
        split: which one; needed where there are several.
        features: these columns; None: all features.
        labels: these columns; None: the dataset's labels.
        columns: further columns, each an entry of its own.
        matrix: the name of the matrix; None: every feature is an entry of its own.
        dtype: of the matrix and of numbers that are no integers: "float32", "float64", "int32" or "int64".
        fill: stands for null (after the features' own defaults); None: NaN among floats, refused among integers.
        mask: adds `NAME__mask`, 1 where there is a value and 0 where it is filled.
        pad: column of lists -> so many places a row, cut or filled with zeros, and `name__length`.
        shuffle: in an order that depends on the dataset, the split, `seed` and the epoch alone; False: in the frame's.
        seed: of that order.
        epoch: the first one.
        rank: this process among `world_size`; None: as torch.distributed says, else the only one.
        world_size: how many processes share the rows.
        last: what becomes of a last round of batches that is not full: "drop", "pad" (with the first rows of the
            epoch; `batch.padding` counts them) or "uneven". None: "uneven" for one rank, "pad" for several.
        window_blocks: how far rows are mixed, see the reference on the order of an epoch; None: as the dataset says.
        retry_seconds: how long it is tried again where the server is away.

    Raises:
        NotFoundError: no such split or column.
        InvalidArgumentError: a column that cannot become a tensor (named, with the ways out), more ranks than rows.
    """
    from featherflight._datasets.plan import plan_batches

    plan = plan_batches(
        self.reference,
        self.schema,
        {column: role for column, role in self._roles.items() if role != "row"},
        self._vocabularies,
        features=features,
        labels=labels,
        columns=columns,
        matrix=matrix,
        dtype=dtype,
        fill=fill,
        mask=mask,
        pad=pad or {},
        statistics=self.statistics,
    )
    stream = open_stream(
        self,
        {"columns": list(plan.columns), "dense": [dict(matrix) for matrix in plan.dense]},
        None,
        split=split,
        seed=seed if shuffle else None,
        batch_size=batch_size,
        rank=rank,
        world_size=world_size,
        last=last,
        window_blocks=window_blocks,
        retry_seconds=retry_seconds,
    )
    return stream, epoch, plan


def _taking(
    opens: Callable[Concatenate[Dataset, _P], _Opened], *, needs: str | None = None
) -> Callable[[Callable[[_Opened], _Read]], Callable[Concatenate[Dataset, _P], _Read]]:
    """A method that takes the arguments of `opens` and makes something of what that gives."""

    def decorate(make: Callable[[_Opened], _Read]) -> Callable[Concatenate[Dataset, _P], _Read]:
        def method(self: Dataset, /, *args: _P.args, **options: _P.kwargs) -> _Read:
            if needs is not None:
                require(needs, f"{make.__name__}()")
            return make(opens(self, *args, **options))

        shown = inspect.signature(opens).replace(return_annotation=inspect.signature(make).return_annotation)
        _, title, arguments = (inspect.getdoc(opens) or "").partition("Args:")
        vars(method).update(__signature__=shown)
        method.__doc__ = f"{inspect.getdoc(make)}\n\n{title}{arguments}"
        method.__name__, method.__qualname__ = make.__name__, f"Dataset.{make.__name__}"
        return method

    return decorate


@_taking(_open_rows)
def arrow(opened: tuple[Stream, int]) -> Epochs[pa.RecordBatch]:
    """Batches as Arrow record batches; each iteration is an epoch."""
    return Epochs(*opened, lambda _, rows: rows)


@_taking(_open_rows, needs="polars")
def polars(opened: tuple[Stream, int]) -> Epochs[pl.DataFrame]:
    """Batches as Polars DataFrames, which copy what is not aligned as Polars wants it; each iteration is an epoch."""
    from featherflight._to_polars import table_to_polars

    return Epochs(*opened, lambda _, rows: table_to_polars(pa.Table.from_batches([rows]), None))


@_taking(_open_rows)
def examples(opened: tuple[Stream, int]) -> Examples:
    """Rows one by one as dicts, as an `IterableDataset` of Hugging Face gives them; each iteration is an epoch.

    `iter(batch_size)` gives them as dicts of lists; `set_epoch`, `state_dict` and `load_state_dict` are there.
    """
    return Examples(*opened)


@_taking(_open_tensors, needs="numpy")
def numpy(opened: tuple[Stream, int, BatchPlan]) -> ArrayBatches:
    """Batches as NumPy arrays, in this process; each iteration is an epoch. A batch is what `torch` makes of it."""
    return ArrayBatches(*opened)


@_taking(_open_tensors, needs="torch")
def torch(opened: tuple[Stream, int, BatchPlan]) -> TorchBatches:
    """An IterableDataset of whole batches, for `DataLoader(…, batch_size=None)` or its own `loader()`.

    A batch is a dict of tensors by name. Numbers among the features, and vectors of a fixed length, stand side by
    side in one matrix, laid out by the server and taken over without a copy. Text is the ids of the dataset's
    vocabulary (`vocabulary(column)`; 0 is null and what is unknown). Lists are values and offsets
    (`name__offsets`), or padded. Labels and `columns` are entries of their own: integers as int64, booleans as
    bool, other numbers as `dtype`.
    """
    from featherflight._datasets.torch import TorchBatches

    return TorchBatches(*opened)
