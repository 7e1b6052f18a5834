"""Checks of drift: the store's method, and what it found as a table and histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from featherflight._checks import CheckedFeature, CheckReport, known_fields, send_frame
from featherflight._long_calls import _instants, run_long
from featherflight._progress import Progress
from featherflight._render import Column

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from featherflight._datasets.dataset import Dataset
    from featherflight._frames import EntityFrame
    from featherflight._store import Store

_MOST_PLOTS = 12


@dataclass(frozen=True)
class DriftFeature(CheckedFeature):
    """What a check found of one feature."""

    type: str
    measure: str | None
    """What is compared where it is not the value itself: its age, its length, its norm."""
    reference: Mapping[str, Any]
    """`n`, `units`, `mean`, `null_rate`, … and `histogram` with `edges` or `categories`, and `counts`."""
    current: Mapping[str, Any]
    psi: float | None
    """Population stability index."""
    js: float | None
    """Jensen-Shannon divergence, in bits."""
    ks: float | None
    """Kolmogorov-Smirnov distance; None where it is no number."""
    mean_change: float | None
    """In standard deviations of the reference."""
    null_rate_change: float | None
    default_rate_change: float | None
    alarms: tuple[Mapping[str, str], ...]
    """Each with `alarm`, its name, and `text`: what was seen, beside what was before."""
    result: str
    """`PASS`, `FAIL` or `NO DATA`."""
    never_varied: str | None = None
    """The one value that it has on both sides, as text; no alarm, as it may be meant."""


@dataclass(frozen=True, repr=False)
class DriftReport(CheckReport):
    """What a check found: rendered as a table and histograms, and whole in its fields."""

    version: int
    reference: Mapping[str, Any]
    """`kind` (`log`, `dataset` or `frame`), `from`, `to` and `rows`; of a dataset also `dataset` and `split`."""
    current: Mapping[str, Any]
    summary: Mapping[str, Any]
    features: tuple[DriftFeature, ...]

    def to_pandas(self) -> pd.DataFrame:
        """A row for each feature, without histograms; `alarms` are names, with a comma between them."""
        import pandas as pd

        left_out = {"reference", "current", "alarms"}
        names = [field.name for field in fields(DriftFeature) if field.name not in left_out]
        rows = [
            {name: getattr(one, name) for name in names} | {"alarms": ", ".join(each["alarm"] for each in one.alarms)}
            for one in self.features
        ]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=[*names, "alarms"])
        return frame

    def _headline(self) -> str:
        rows, before = int(self.current["rows"]), int(self.reference["rows"])
        is_saved = self.current["kind"] == "dataset"
        what = f"rows of {_name_saved(self.current)}" if is_saved else "rows served"
        others = {"frame": "a training set", "log": "what was served" if is_saved else "an earlier period"}
        beside = others.get(self.reference["kind"]) or _name_saved(self.reference)
        return f"drift of {rows:,} {what}, against {before:,} of {beside}: {self.result}"

    def _notes(self) -> list[str]:
        notes = [f"{one.name}, {each['alarm']}: {each['text']}" for one in self.features for each in one.alarms]
        notes += [
            f"{one.name}: never varied, all values are {one.never_varied} on both sides"
            for one in self.features
            if one.never_varied is not None
        ]
        notes += [f"{one['feature']}: not compared, {one['reason']}" for one in self.summary.get("skipped", [])]
        advice = self.summary.get("advice")
        return notes + ([advice] if advice else [])

    def _columns(self) -> list[Column]:
        shown = self.features
        return [
            Column("feature", [one.name for one in shown]),
            Column("psi", [_number(one.psi) for one in shown], numeric=True),
            Column("js", [_number(one.js) for one in shown], numeric=True),
            Column("ks", [_number(one.ks) for one in shown], numeric=True),
            Column("mean", [_number(one.mean_change, "+.2f") for one in shown], numeric=True),
            Column("nulls", [_number(one.null_rate_change, "+.1%") for one in shown], numeric=True),
            Column("defaults", [_number(one.default_rate_change, "+.1%") for one in shown], numeric=True),
            Column("result", [one.result for one in shown]),
        ]

    def _plot(self) -> tuple[Figure, str] | None:
        """Histograms of both sides of what fails."""
        from matplotlib.figure import Figure

        shown = [one for one in self.features if one.result == "FAIL"][:_MOST_PLOTS]
        if not shown:
            return None
        across = min(3, len(shown))
        down = -(-len(shown) // across)
        figure = Figure(figsize=(3.4 * across, 2.4 * down), layout="constrained")
        grid = figure.subplots(down, across, squeeze=False)
        for axes in grid.flat[len(shown) :]:
            axes.set_axis_off()
        for one, axes in zip(shown, grid.flat, strict=False):
            before, now = (_shares(side["histogram"]["counts"]) for side in (one.reference, one.current))
            places = range(len(before))
            axes.bar([at - 0.2 for at in places], before, 0.4, label="reference")
            axes.bar([at + 0.2 for at in places], now, 0.4, label="current")
            axes.set_xticks(list(places), _labels(one.reference["histogram"]), rotation=60, fontsize=6)
            axes.set_title(one.name, fontsize=8)
        grid.flat[0].legend(fontsize=6)
        return figure, "histograms of the reference and of what is current"


def drift(
    self: Store,
    features: Sequence[str] | str | None = None,
    *,
    reference: Dataset | str | None = None,
    current: Dataset | str | None = None,
    training: EntityFrame | None = None,
    columns: Mapping[str, str] | None = None,
    timestamp: str | None = None,
    timezone: str | None = None,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    reference_start: datetime | str | None = None,
    reference_end: datetime | str | None = None,
    thresholds: Mapping[str, Mapping[str, float]] | None = None,
    min_keys: int | None = None,
    sample: int | None = None,
    progress: bool | None = None,
) -> DriftReport:
    """Compares what was served in a period, out of the feature log, with an earlier one or a training set; or datasets.

    Args:
        features: `["view:feature", …]`, or the name of a feature service; None: all.
        reference: a saved dataset, "NAME@VERSION", or "NAME@VERSION:SPLIT" for one split; None: an earlier period.
        current: a saved dataset, named in the same way; None: what was served.
        training: a frame with features in it, or the path of one that the server may read; None: an earlier period.
        columns: of `training`: column -> "view:feature", for columns whose names do not say it.
        timestamp: of `training`: the column with each row's time, by which ages of timestamps are told.
        timezone: the zone of that column where its values carry none, as an IANA name.
        start: what was served from then on; None: 24 hours before `end`.
        end: what was served before then; None: now.
        reference_start: where the earlier period begins; None: as long before its end as the other is long.
        reference_end: where it ends; None: at `start`.
        thresholds: by "view:feature" what is too far: `psi`, `js`, `ks`, `mean`, `null_rate`, `default_rate`.
        min_keys: keys that a feature has on both sides at least, for anything to be said; None: 50.
        sample: rows of a dataset, or of each shape of the log, at most; None: 100,000.
        progress: False shows no progress bar, True always does; None: as `connect` was told.

    Raises:
        NotFoundError: no such view, feature, service, dataset or split, or the datasets have no feature in common; the
            message names the nearest.
        InvalidArgumentError: a period is empty, or no column of the training set is known as a feature.
        PermissionDeniedError: the token is not for reading training data, or not for all views that are compared.
    """
    body: dict[str, Any] = {"service": features} if isinstance(features, str) else {}
    if features is not None and not isinstance(features, str):
        body["features"] = list(features)
    given = _instants(start=start, end=end, reference_start=reference_start, reference_end=reference_end)
    body |= {"from": given["start"], "to": given["end"]}
    body |= {"reference_from": given["reference_start"], "reference_to": given["reference_end"]}
    body |= {"timestamp": timestamp, "timezone": timezone, "min_keys": min_keys, "sample": sample}
    body |= {"columns": dict(columns or {})}
    body |= {"reference": _saved(reference), "current": _saved(current)}
    if thresholds is not None:
        body["thresholds"] = {name: dict(value) for name, value in thresholds.items()}
    body = {name: value for name, value in body.items() if value is not None}
    if training is not None:
        send_frame(self, training, body, progress)

    def show(bar: Progress, now: Mapping[str, Any]) -> None:
        bar.move("drift", now["rows"], None)

    return decode_drift(run_long(self, "/api/v1/validate/drift", body, progress, ("drift", "rows", show)))


def decode_drift(wire: Mapping[str, Any]) -> DriftReport:
    """The report from its JSON; keys that a newer server adds are left out."""
    return DriftReport(
        id=str(wire["id"]),
        created_at=str(wire["created_at"]),
        version=int(wire["version"]),
        result=str(wire["result"]),
        reference=dict(wire["reference"]),
        current=dict(wire["current"]),
        summary=dict(wire["summary"]),
        features=tuple(_feature(one) for one in wire["features"]),
    )


def _feature(wire: Mapping[str, Any]) -> DriftFeature:
    return DriftFeature(**{**known_fields(DriftFeature, wire), "alarms": tuple(wire["alarms"])})


def _saved(dataset: Dataset | str | None) -> dict[str, str] | None:
    if dataset is None:
        return None
    name, _, split = (dataset if isinstance(dataset, str) else dataset.reference).partition(":")
    return {"dataset": name, "split": split} if split else {"dataset": name}


def _name_saved(side: Mapping[str, Any]) -> str:
    return str(side["dataset"]) + (f":{side['split']}" if side.get("split") else "")


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total if total > 0 else 0.0 for count in counts]


def _labels(histogram: Mapping[str, Any]) -> list[str]:
    if histogram["kind"] == "categories":
        return [*(str(name)[:12] for name in histogram["categories"]), "other"]
    return [*(f"≤ {edge:.3g}" for edge in histogram["edges"]), "above"]


def _number(value: float | None, spelled: str = ".3f") -> str:
    return "-" if value is None else format(value, spelled)
