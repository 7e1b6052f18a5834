"""A saved dataset: what is known of it, its rows in every shape, and what is done with it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa

from featherflight._datasets import frames, streams
from featherflight._datasets.table import column_table, headline
from featherflight._long_calls import run_long
from featherflight._progress import Progress
from featherflight._render import Column, html_table, text_table
from featherflight.errors import InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    from featherflight._store import Store


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

    to_batches = frames.to_batches
    to_arrow = frames.to_arrow
    to_pandas = frames.to_pandas
    to_polars = frames.to_polars
    to_parquet = frames.to_parquet
    arrow = streams.arrow
    polars = streams.polars
    examples = streams.examples
    numpy = streams.numpy
    torch = streams.torch

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
        return f"{headline(self)}\n\n{text_table(self._table())}"

    def _repr_html_(self) -> str:
        return html_table(self._table(), caption=headline(self))

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

    def _table(self) -> list[Column]:
        return column_table([column for column in self._shown["columns"] if column["role"] != "row"])
