"""What the server reports at the end of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from featherflight._optional import require
from featherflight._render import Column, html_table, megabytes, seconds, text_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FeatureReport:
    """How one feature came out: rows per status, and how many of them a default or a tie touched."""

    name: str
    """The column in the answer."""
    view: str
    present: int
    null_value: int
    """A row was found, its value is null."""
    not_found: int
    """No visible row for the key."""
    outside_max_age: int
    """Only rows older than the view's ttl."""
    defaults: int
    """Rows whose value is the feature's default."""
    ties: int
    """Rows where equal event and created times were decided by value."""

    @property
    def nulls(self) -> int:
        """Rows whose value is null in the answer: not present, and no default stood in."""
        return self.null_value + self.not_found + self.outside_max_age - self.defaults


@dataclass(frozen=True)
class JobReport:
    """The whole answer: its size, its times on the server, its identity, and every feature's counts."""

    rows: int
    batches: int
    bytes: int
    first_batch_seconds: float
    total_seconds: float
    identity: str | None
    """Equal identities mean equal bytes (definitions, rows, options, source states, versions)."""
    reproducible: bool
    features: tuple[FeatureReport, ...]

    def to_arrow(self) -> pa.Table:
        """The features' counts, one row each."""
        rows = [asdict(feature) | {"nulls": feature.nulls} for feature in self.features]
        return pa.Table.from_pylist(rows, schema=_schema)

    def to_pandas(self) -> pd.DataFrame:
        """The features' counts, one row each."""
        require("pandas", "JobReport.to_pandas()")
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def __str__(self) -> str:
        return f"{self._headline()}\n\n{text_table(self._columns())}" if self.features else self._headline()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_table(self._columns(), caption=self._headline())

    def _headline(self) -> str:
        parts = [
            f"{self.rows:,} rows in {seconds(self.total_seconds)}, the first after {seconds(self.first_batch_seconds)}",
            f"{megabytes(self.bytes)} in {self.batches:,} {'batch' if self.batches == 1 else 'batches'}",
        ]
        if self.identity is not None:
            parts.append(f"identity {self.identity[:16]}")
        parts.append("reproducible" if self.reproducible else "not reproducible")
        return "; ".join(parts)

    def _columns(self) -> list[Column]:
        features = self.features
        share = [f"{feature.present / self.rows:.1%}" if self.rows else "" for feature in features]
        columns = [
            Column("feature", [feature.name for feature in features]),
            Column("view", [feature.view for feature in features]),
            Column("present", [f"{feature.present:,}" for feature in features], numeric=True),
            Column("share", share, numeric=True),
        ]
        titles = {
            "null_value": "null value",
            "not_found": "not found",
            "outside_max_age": "too old",
            "defaults": "defaults",
            "ties": "ties",
        }
        for name, title in titles.items():
            cells = [f"{getattr(feature, name):,}" for feature in features]
            columns.append(Column(title, cells, numeric=True))
        columns.append(Column("null in the end", [f"{feature.nulls:,}" for feature in features], numeric=True))
        return columns


_schema = pa.schema(
    [("name", pa.string()), ("view", pa.string())]
    + [
        (name, pa.int64())
        for name in ("present", "null_value", "not_found", "outside_max_age", "defaults", "ties", "nulls")
    ]
)
_feature_names = {field.name for field in fields(FeatureReport)}


def decode_report(wire: Mapping[str, Any]) -> JobReport:
    """The report from its JSON; keys that a newer server adds are left out."""
    return JobReport(
        rows=int(wire["rows"]),
        batches=int(wire["batches"]),
        bytes=int(wire["bytes"]),
        first_batch_seconds=float(wire["first_batch_seconds"]),
        total_seconds=float(wire["total_seconds"]),
        identity=wire.get("identity"),
        reproducible=bool(wire["reproducible"]),
        features=tuple(
            FeatureReport(**{name: value for name, value in feature.items() if name in _feature_names})
            for feature in wire["features"]
        ),
    )
