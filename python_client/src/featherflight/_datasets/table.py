"""How a dataset shows itself: a line and a table of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from featherflight._render import Column

if TYPE_CHECKING:
    from featherflight._datasets.dataset import Dataset


def headline(dataset: Dataset) -> str:
    """Name, rows by split, columns, and how many expectations are not met."""
    splits = dataset.splits
    parts = "" if len(splits) == 1 else f" ({', '.join(f'{name} {rows:,}' for name, rows in splits.items())})"
    warned = [gate for gate in dataset.gates if not gate["ok"]]
    warning = f", {len(warned)} expectations not met" if warned else ""
    return f"dataset {dataset.reference}: {dataset.rows:,} rows{parts}, {len(dataset.schema)} columns{warning}"


def column_table(columns: Sequence[Mapping[str, Any]]) -> list[Column]:
    """A row for each column: type, role, and what it holds in short."""
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
