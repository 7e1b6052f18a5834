"""What the server reports at the end of an answer."""

from __future__ import annotations

import textwrap
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
    out_of_range: int = 0
    """Rows whose value is null because the sum is outside its type; they are among `null_value`."""

    @property
    def nulls(self) -> int:
        """Rows whose value is null in the answer: not present, and no default stood in."""
        return self.null_value + self.not_found + self.outside_max_age - self.defaults


@dataclass(frozen=True)
class InvalidReason:
    """What is wrong with some events."""

    reason: str
    """`no_time`, `vocabulary` (a value that its column does not declare) or `type` (a value of another type)."""
    column: str
    events: int


@dataclass(frozen=True)
class EventReport:
    """How many events that a stream feature view reads count nowhere."""

    view: str
    source: str
    invalid: int
    """Each event once, whatever is wrong with it."""
    reasons: tuple[InvalidReason, ...]


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
    events: tuple[EventReport, ...] = ()
    """One for each stream feature view."""
    warnings: tuple[str, ...] = ()
    """What of it is deprecated, in a sentence each."""

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
        headline = textwrap.fill(self._headline(), _WIDTH, break_long_words=False)
        told = [textwrap.fill(f"warning: {text}", _WIDTH, break_long_words=False) for text in self.warnings]
        table = [text_table(self._columns())] if self.features else []
        return "\n\n".join([headline, *table, *told])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = [f"warning: {text}" for text in self.warnings]
        return html_table(self._columns(), caption=self._headline(), notes=notes)

    def _headline(self) -> str:
        parts = [
            f"{self.rows:,} rows in {seconds(self.total_seconds)}, the first after {seconds(self.first_batch_seconds)}",
            f"{megabytes(self.bytes)} in {self.batches:,} {'batch' if self.batches == 1 else 'batches'}",
        ]
        if self.identity is not None:
            parts.append(f"identity {self.identity[:16]}")
        parts.append("reproducible" if self.reproducible else "not reproducible")
        parts.extend(
            f"{report.invalid:,} invalid {'event' if report.invalid == 1 else 'events'} of {report.view} count nowhere"
            for report in self.events
            if report.invalid
        )
        return "; ".join(parts)

    def _columns(self) -> list[Column]:
        features = self.features
        shares = [f"{feature.present / self.rows:.1%}" if self.rows else "" for feature in features]
        columns = [
            Column("feature", [feature.name for feature in features]),
            Column("view", [feature.view for feature in features]),
            Column("present", shares, numeric=True),
        ]
        titles = {
            "null_value": "null",
            "out_of_range": "out of range",
            "not_found": "not found",
            "outside_max_age": "too old",
            "defaults": "default",
            "ties": "ties",
            "nulls": "left null",
        }
        for name, title in titles.items():
            counts = [getattr(feature, name) for feature in features]
            if name != "out_of_range" or any(counts):
                columns.append(Column(title, [f"{count:,}" for count in counts], numeric=True))
        return columns


_WIDTH = 80
_schema = pa.schema(
    [("name", pa.string()), ("view", pa.string())]
    + [
        (name, pa.int64())
        for name in (
            "present",
            "null_value",
            "not_found",
            "outside_max_age",
            "defaults",
            "ties",
            "out_of_range",
            "nulls",
        )
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
        events=tuple(_decode_events(report) for report in wire.get("events", ())),
        warnings=tuple(str(one["message"]) for one in wire.get("warnings", ())),
    )


def _decode_events(wire: Mapping[str, Any]) -> EventReport:
    reasons = (
        InvalidReason(reason=str(one["reason"]), column=str(one["column"]), events=int(one["events"]))
        for one in wire["reasons"]
    )
    return EventReport(
        view=str(wire["view"]), source=str(wire["source"]), invalid=int(wire["invalid"]), reasons=tuple(reasons)
    )
