"""A saved dataset: what is known of it, its rows in every shape, and what is done with it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from featherflight._datasets.rows import RowRange, RowSource
from featherflight._datasets.shard import Shard
from featherflight._long_calls import run_long
from featherflight._optional import require
from featherflight._progress import Progress
from featherflight._render import Column, html_table, text_table
from featherflight.errors import DataLossError, InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from featherflight._datasets.loading import ArrayBatches, Stream
    from featherflight._datasets.torch import TorchBatches
    from featherflight._store import Store

_BATCH_ROWS = 65_536
_RETRY_SECONDS = 60.0


class Dataset:
    """One version of a saved training set. Its rows never change; `tags` and what `describe` says of readers may."""

    def __init__(self, store: Store, shown: Mapping[str, Any]) -> None:
        self._store = store
        self._shown = dict(shown)

    @property
    def name(self) -> str:
        """Its name, without the version."""
        return str(self._shown["name"])

    @property
    def version(self) -> int:
        """Its version, from 1 on."""
        return int(self._shown["version"])

    @property
    def reference(self) -> str:
        """`NAME@VERSION`."""
        return f"{self.name}@{self.version}"

    @property
    def id(self) -> str:
        """Its identity: the hash of everything that it was made of. Same identity, same rows."""
        return str(self._shown["id"])

    @property
    def rows(self) -> int:
        """Rows of all splits together."""
        return int(self._shown["rows"])

    @property
    def splits(self) -> dict[str, int]:
        """Rows by split; `all` where it is not split."""
        return {str(split["name"]): int(split["rows"]) for split in self._shown["splits"]}

    @property
    def schema(self) -> pa.Schema:
        """Its columns: those of the frame, then the features, in the order asked for."""
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(self._shown["schema"])))
        kept = [field for field in schema if self._roles.get(field.name) != "row"]
        return pa.schema(kept)

    @property
    def features(self) -> list[str]:
        """Columns that are features."""
        return [name for name, role in self._roles.items() if role == "feature"]

    @property
    def labels(self) -> list[str]:
        """Columns of the frame that are to be predicted."""
        return [name for name, role in self._roles.items() if role == "label"]

    @property
    def recipe(self) -> dict[str, Any]:
        """What it was made of: features or service, options, frame, split, definitions, versions and sources' files."""
        return dict(self._shown["recipe"])

    @property
    def reproducible(self) -> bool:
        """Whether all that it was made of has a version; `describe()["why_not"]` says what has none."""
        return bool(self._shown["reproducible"])

    @property
    def gates(self) -> list[dict[str, Any]]:
        """What was expected of columns, each with `ok` and what was measured."""
        return list(self._shown["gates"])

    @property
    def tags(self) -> list[dict[str, Any]]:
        """Models that were trained on it."""
        return list(self._shown.get("tags", []))

    @property
    def statistics(self) -> dict[str, dict[str, Any]]:
        """By column, taken while saving: nulls, least, greatest, mean, deviation, histogram, statuses and defaults."""
        return {str(column["name"]): dict(column["statistics"]) for column in self._shown["columns"]}

    def describe(self) -> dict[str, Any]:
        """Everything that is known of it, as the server says now."""
        self._shown = dict(self._store._transport.action("describe_dataset", {"dataset": self.reference}))
        return dict(self._shown)

    def to_batches(
        self,
        *,
        split: str | None = None,
        columns: Sequence[str] | None = None,
        seed: int | None = None,
        epoch: int = 0,
        batch_rows: int = _BATCH_ROWS,
    ) -> pa.RecordBatchReader:
        """Rows batch by batch, from a new stream each time.

        Args:
            split: which one; needed where there are several.
            columns: these columns; None: all.
            seed: shuffles, the same for the same seed and epoch; None: in the frame's order.
            epoch: of the order, where it is shuffled.
            batch_rows: rows of a batch; the last may have fewer.

        Raises:
            NotFoundError: no such split or column, or the version was deleted.
            DataLossError: a file of the dataset is not what was saved, or the answer is not whole.
        """
        name, rows = self._split(split)
        command: dict[str, Any] = {"type": "get_dataset", "dataset": self.reference, "split": name, "epoch": epoch}
        if seed is not None:
            command["seed"] = seed
        names = list(columns) if columns is not None else self.schema.names
        for column in names:
            self._role(column)
        command["columns"] = names
        source = RowSource(self._store._transport.settings, self.id, command, _RETRY_SECONDS)
        schema = pa.schema([self.schema.field(column) for column in names])

        def batches() -> Iterator[pa.RecordBatch]:
            for _, batch in source.read(RowRange(0, rows, batch_rows, batch_rows)):
                if not batch.schema.equals(schema):
                    raise DataLossError(f"{self.reference} came with other columns than it has: {batch.schema}")
                yield batch.cast(schema) if batch.schema != schema else batch

        return pa.RecordBatchReader.from_batches(schema, batches())

    def to_arrow(self, *, split: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """A split as an Arrow table, in the frame's order."""
        return self.to_batches(split=split, columns=columns).read_all()

    def to_pandas(self, *, split: str | None = None, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A split as a pandas DataFrame; integers and booleans with nulls are pandas' nullable types."""
        require("pandas", "to_pandas()")
        from featherflight._to_pandas import table_to_pandas

        return table_to_pandas(self.to_arrow(split=split, columns=columns), None)

    def to_polars(self, *, split: str | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """A split as a Polars DataFrame."""
        require("polars", "to_polars()")
        from featherflight._to_polars import table_to_polars

        return table_to_polars(self.to_arrow(split=split, columns=columns), None)

    def to_parquet(self, path: str | os.PathLike[str], *, split: str | None = None) -> None:
        """Writes a split to a Parquet file; the file appears when it is complete."""
        import pyarrow.parquet as pq

        target = Path(path)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        try:
            with pq.ParquetWriter(partial, self.schema, compression="zstd") as writer:
                for batch in self.to_batches(split=split):
                    writer.write_batch(batch)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def numpy(
        self,
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
        rank: int = 0,
        world_size: int = 1,
        last: str | None = None,
        window_blocks: int | None = None,
        retry_seconds: float = _RETRY_SECONDS,
    ) -> ArrayBatches:
        """Batches as NumPy arrays; each iteration is an epoch. The arguments are those of `torch`."""
        require("numpy", "numpy()")
        from featherflight._datasets.loading import ArrayBatches

        stream = self._stream(
            batch_size,
            split=split,
            features=features,
            labels=labels,
            columns=columns,
            matrix=matrix,
            dtype=dtype,
            fill=fill,
            mask=mask,
            pad=pad,
            seed=seed if shuffle else None,
            shard=(rank, world_size, last),
            window_blocks=window_blocks,
            retry_seconds=retry_seconds,
        )
        return ArrayBatches(stream, epoch)

    def torch(
        self,
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
        retry_seconds: float = _RETRY_SECONDS,
    ) -> TorchBatches:
        """An IterableDataset of whole batches, for `DataLoader(…, batch_size=None)` or its own `loader()`.

        A batch is a dict of tensors by name. Numbers among the features, and vectors of a fixed length, stand side by
        side in one matrix, laid out by the server and taken over without a copy. Text is the ids of the dataset's
        vocabulary (`vocabulary(column)`; 0 is null and what is unknown). Lists are values and offsets
        (`name__offsets`), or padded. Labels and `columns` are entries of their own: integers as int64, booleans as
        bool, other numbers as `dtype`.

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
            shuffle: in an order that depends on the dataset, the split, `seed` and the epoch alone.
            seed: of that order.
            epoch: the first one.
            rank: this process among `world_size`; None: as torch.distributed says, else the only one.
            world_size: how many processes share the rows.
            last: what becomes of a last round of batches that is not full: "drop", "pad" (with the first rows of the
                epoch; `batch.padding` counts them) or "uneven". None: "uneven" for one rank, "pad" for several.
            window_blocks: how far rows are mixed, see the reference on the order of an epoch; None: as the dataset
                says.
            retry_seconds: how long it is tried again where the server is away.

        Raises:
            ModuleNotFoundError: torch is not installed.
            NotFoundError: no such split or column.
            InvalidArgumentError: a column that cannot become a tensor (named, with the ways out), more ranks than rows.
        """
        require("torch", "torch()")
        from featherflight._datasets.torch import TorchBatches, distributed_rank

        at, of = distributed_rank(rank, world_size)
        stream = self._stream(
            batch_size,
            split=split,
            features=features,
            labels=labels,
            columns=columns,
            matrix=matrix,
            dtype=dtype,
            fill=fill,
            mask=mask,
            pad=pad,
            seed=seed if shuffle else None,
            shard=(at, of, last),
            window_blocks=window_blocks,
            retry_seconds=retry_seconds,
        )
        return TorchBatches(stream, epoch)

    def vocabulary(self, column: str) -> list[str | None]:
        """The values of a column of text by their ids; the first, of id 0, is None: null and what is unknown."""
        self._role(column)
        if column not in self._vocabularies:
            raise InvalidArgumentError(f'column "{column}" of {self.reference} has no vocabulary')
        asked = {"dataset": self.reference, "column": column}
        return [None, *self._store._transport.action("dataset_vocabulary", asked)["values"]]

    def tag(self, model: str, version: str | None = None, *, remove: bool = False) -> Dataset:
        """Says that a model was trained on it, for its lineage; with `remove` that it was not."""
        body = {"dataset": self.reference, "model": model, "version": version, "remove": remove}
        self._shown = dict(self._store._transport.action("tag_dataset", body))
        return self

    def diff(self, other: Dataset | str) -> dict[str, Any]:
        """How another version, or another dataset, differs from it: recipe, columns, statistics, sources' files."""
        to = other if isinstance(other, str) else other.reference
        return dict(self._store._transport.action("diff_datasets", {"from": self.reference, "to": to}))

    def reproduce(self, *, progress: bool | None = None) -> dict[str, Any]:
        """Computes it once more and compares bit for bit; where that cannot be, says what changed."""

        def show(bar: Progress, now: Mapping[str, Any]) -> None:
            bar.move("reproduce", now.get("done", 0), now.get("of"))

        path = f"/api/v1/datasets/{quote(self.reference, safe='')}/reproduce"
        return run_long(self._store, path, {}, progress, ("reproduce", "rows", show))

    def delete(self, *, force: bool = False) -> None:
        """Removes it for good.

        Raises:
            FailedPreconditionError: it is being read, or tagged with a model, and `force` is not given.
        """
        self._store._transport.action("delete_dataset", {"dataset": self.reference, "force": force})

    def __repr__(self) -> str:
        return f"{self._headline()}\n\n{text_table(self._table())}"

    def _repr_html_(self) -> str:
        return html_table(self._table(), caption=self._headline())

    @property
    def _roles(self) -> dict[str, str]:
        return {str(column["name"]): str(column["role"]) for column in self._shown["columns"]}

    @property
    def _vocabularies(self) -> list[str]:
        return [str(column["name"]) for column in self._shown["columns"] if column["vocabulary"] is not None]

    def _role(self, column: str) -> str:
        role = self._roles.get(column)
        if role is None or role == "row":
            names = ", ".join(name for name, kind in self._roles.items() if kind != "row")
            raise NotFoundError(
                f'{self.reference} has no column "{column}"; it has {names}', details={"column": column}
            )
        return role

    def _split(self, name: str | None) -> tuple[str, int]:
        splits = self.splits
        if name is None and len(splits) == 1:
            name = next(iter(splits))
        if name is None:
            raise InvalidArgumentError(f"{self.reference} is split into {', '.join(splits)}: say which `split`")
        if name not in splits:
            raise NotFoundError(f'{self.reference} has no split "{name}"; it has {", ".join(splits)}')
        return name, splits[name]

    def _stream(
        self,
        batch_size: int,
        *,
        split: str | None,
        features: Sequence[str] | None,
        labels: Sequence[str] | None,
        columns: Sequence[str],
        matrix: str | None,
        dtype: str,
        fill: float | None,
        mask: bool,
        pad: Mapping[str, int] | None,
        seed: int | None,
        shard: tuple[int, int, str | None],
        window_blocks: int | None,
        retry_seconds: float,
    ) -> Stream:
        from featherflight._datasets.loading import Stream
        from featherflight._datasets.plan import plan_batches

        name, rows = self._split(split)
        rank, world_size, last = shard
        roles = {column: role for column, role in self._roles.items() if role != "row"}
        plan = plan_batches(
            self.reference,
            self.schema,
            roles,
            self._vocabularies,
            features=features,
            labels=labels,
            columns=columns,
            matrix=matrix,
            dtype=dtype,
            fill=fill,
            mask=mask,
            pad=pad or {},
        )
        if window_blocks is None:
            window_blocks = next(one["blocks"]["window_blocks"] for one in self._shown["splits"] if one["name"] == name)
        command: dict[str, Any] = {"type": "get_dataset", "dataset": self.reference, "split": name}
        command["window_blocks"] = window_blocks
        source = RowSource(self._store._transport.settings, self.id, command, retry_seconds)
        at = last if last is not None else "uneven" if world_size == 1 else "pad"
        share = Shard(rows, batch_size, rank=rank, world_size=world_size, last=at)
        return Stream(self.reference, self.id, name, seed, window_blocks, source, plan, share)

    def _headline(self) -> str:
        splits = self.splits
        parts = "" if len(splits) == 1 else f" ({', '.join(f'{name} {rows:,}' for name, rows in splits.items())})"
        warned = [gate for gate in self.gates if not gate["ok"]]
        warning = f", {len(warned)} expectations not met" if warned else ""
        return f"dataset {self.reference}: {self.rows:,} rows{parts}, {len(self.schema)} columns{warning}"

    def _table(self) -> list[Column]:
        columns = [column for column in self._shown["columns"] if column["role"] != "row"]
        facts = [dict(column["statistics"]) for column in columns]

        def cells(name: str) -> list[str]:
            return ["" if fact.get(name) is None else _short(fact[name]) for fact in facts]

        return [
            Column("column", [str(column["name"]) for column in columns]),
            Column("type", [str(column["type"]) for column in columns]),
            Column("role", [str(column["role"]) for column in columns]),
            Column("nulls", cells("nulls"), numeric=True),
            Column("defaults", cells("defaults"), numeric=True),
            Column("min", cells("min"), numeric=True),
            Column("mean", cells("mean"), numeric=True),
            Column("max", cells("max"), numeric=True),
        ]


def _short(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    try:
        number = float(value)
    except ValueError:
        return str(value)
    return f"{number:.4g}" if number % 1 or abs(number) >= 1e15 else f"{number:,.0f}"
