"""Checks of parity: the store's method, and what it found as tables and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from featherflight._checks import CheckedFeature, CheckReport, known_fields
from featherflight._long_calls import _instants, run_long
from featherflight._progress import Progress
from featherflight._render import Column

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from featherflight._store import Store


@dataclass(frozen=True)
class ParityExample:
    """One value that differs, with what both sides are made of."""

    keys: Mapping[str, Any]
    evaluated_at: str
    online: Mapping[str, Any]
    """`value`, `status`, `is_default` and `event_timestamp`; integers of 64 bits as text."""
    offline: Mapping[str, Any]
    difference: float | None
    cause: str | None
    """None where it was not looked for."""
    causes: tuple[str, ...]
    """All that act together, the cause first."""
    evidence: Mapping[str, Any]
    """`online` and `offline`: the rows or events of each side; `text` says what the cause is."""


@dataclass(frozen=True)
class ParityFeature(CheckedFeature):
    """What a check found of one feature."""

    type: str
    n: int
    exact: int
    within_tolerance: int
    only_online_null: int
    only_offline_null: int
    status_mismatch: int
    default_mismatch: int
    event_timestamp_mismatch: int
    mean_abs_error: float | None
    max_abs_error: float | None
    max_rel_error: float | None
    smape: float | None
    pearson: float | None
    """None where it is no number, or does not vary."""
    p50: float | None
    p95: float | None
    p99: float | None
    share_within: float | None
    tolerance: Mapping[str, float]
    result: str
    """`PASS`, `FAIL` or `NO DATA`."""
    examined: int
    causes: Mapping[str, int]
    """Of the differences that were examined."""
    worst: tuple[ParityExample, ...]
    against: str | None = None
    """Of a pair the other feature, which stands where examples say offline."""


@dataclass(frozen=True, repr=False)
class ParityReport(CheckReport):
    """What a check found: rendered as a table with differences drawn, and whole in its fields."""

    mode: str
    """`log`, `live` or `pairs`."""
    start: str | None
    end: str | None
    version: int
    summary: Mapping[str, Any]
    features: tuple[ParityFeature, ...]

    def to_pandas(self) -> pd.DataFrame:
        """A row for each feature, with a column `cause_NAME` for each cause that was found."""
        import pandas as pd

        names = [field.name for field in fields(ParityFeature) if field.name not in {"worst", "causes", "tolerance"}]
        found = sorted({cause for one in self.features for cause in one.causes})
        rows = [
            {name: getattr(one, name) for name in names}
            | {f"cause_{cause}": one.causes.get(cause, 0) for cause in found}
            for one in self.features
        ]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=[*names, *(f"cause_{cause}" for cause in found)])
        return frame

    def _notes(self) -> list[str]:
        notes = [
            f"{one.name}: {example.evidence.get('text')}"
            for one in self.features
            for example in one.worst[:1]
            if example.evidence.get("text")
        ]
        notes += [f"{name}: served, and not defined any more" for name in self.summary.get("gone", [])]
        notes += [f"{one['feature']}: not compared, {one['reason']}" for one in self.summary.get("skipped", [])]
        advice = self.summary.get("advice")
        notes += [advice] if advice else []
        return notes

    def _headline(self) -> str:
        rows, differ = int(self.summary["rows"]), int(self.summary["differences"])
        return f"parity of {rows:,} rows, {int(self.summary['pairs']):,} values, {differ:,} differ: {self.result}"

    def _columns(self) -> list[Column]:
        shown = self.features
        causes = [", ".join(f"{name} {n}" for name, n in one.causes.items()) for one in shown]
        return [
            Column("feature", [one.name if one.against is None else f"{one.name} = {one.against}" for one in shown]),
            Column("n", [f"{one.n:,}" for one in shown], numeric=True),
            Column("within", [_share(one.share_within) for one in shown], numeric=True),
            Column("mean error", [_number(one.mean_abs_error) for one in shown], numeric=True),
            Column("max error", [_number(one.max_abs_error) for one in shown], numeric=True),
            Column("correlation", [_number(one.pearson) for one in shown], numeric=True),
            Column("result", [one.result for one in shown]),
            *([Column("causes", causes)] if any(causes) else []),
        ]

    def _plot(self) -> tuple[Figure, str] | None:
        """Online over offline values of the examples, where there are numbers that differ."""
        from matplotlib.figure import Figure

        points = [
            (one.name, _float(example.offline.get("value")), _float(example.online.get("value")))
            for one in self.features
            for example in one.worst
        ]
        drawn = [(name, x, y) for name, x, y in points if x is not None and y is not None]
        if not drawn:
            return None
        figure = Figure(figsize=(4.6, 3.8), layout="constrained")
        axes = figure.subplots()
        ours, other = ("first of the pair", "second of the pair") if self.mode == "pairs" else ("online", "offline")
        for name in dict.fromkeys(name for name, _, _ in drawn):
            own = [(x, y) for of, x, y in drawn if of == name]
            axes.scatter([x for x, _ in own], [y for _, y in own], label=name, s=16)
        ends = [value for _, x, y in drawn for value in (x, y)]
        axes.plot([min(ends), max(ends)], [min(ends), max(ends)], color="grey", linewidth=0.8)
        axes.set(xlabel=other, ylabel=ours, title="examples of differences")
        figure.legend(fontsize="small", loc="outside lower center")
        return figure, f"{ours} over {other} where they differ"


def check_parity(
    self: Store,
    features: Sequence[str] | str | None = None,
    *,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    live: bool = False,
    pairs: Sequence[tuple[str, str]] | None = None,
    sample: int | None = None,
    tolerances: Mapping[str, tuple[float, float] | float] | None = None,
    examine: int | None = None,
    progress: bool | None = None,
) -> ParityReport:
    """Compares what was served with what a training set holds at the same times, and finds why it differs.

    Args:
        features: `["view:feature", …]`, or the name of a feature service; None: all.
        start: only what was served from then on, out of the feature log; None: 24 hours before `end`.
        end: only what was served before then; None: now.
        live: read a sample of keys online now, and not what was logged.
        pairs: features of a stream and a batch view that are to be the same, compared in history.
        sample: rows of each shape of the log at most; with `live` or `pairs` keys of each view.
        tolerances: by "view:feature" a relative tolerance, or (relative, absolute), instead of those that types have.
        examine: differences of a feature whose cause is looked for; None: 50.
        progress: False shows no progress bar, True always does; None: as `connect` was told.

    Raises:
        NotFoundError: no such view, feature or service; the message names the nearest.
        InvalidArgumentError: the period lies in the future, or what is asked for excludes itself.
        PermissionDeniedError: the token is not for reading training data, or not for all views that are compared.
    """
    body: dict[str, Any] = {"live": live}
    if isinstance(features, str):
        body["service"] = features
    elif features is not None:
        body["features"] = list(features)
    given = _instants(start=start, end=end)
    body |= {"from": given["start"], "to": given["end"]}
    if pairs is not None:
        body["pairs"] = [list(pair) for pair in pairs]
    if tolerances is not None:
        body["tolerances"] = {name: _tolerance(value) for name, value in tolerances.items()}
    body |= {name: value for name, value in {"sample": sample, "examine": examine}.items() if value is not None}

    def show(bar: Progress, now: Mapping[str, Any]) -> None:
        bar.move(f"parity, {now['differences']:,} differ", now["pairs"], None)

    return decode_parity(run_long(self, "/api/v1/validate/parity", body, progress, ("parity", "values", show)))


def decode_parity(wire: Mapping[str, Any]) -> ParityReport:
    """The report from its JSON; keys that a newer server adds are left out."""
    return ParityReport(
        id=str(wire["id"]),
        created_at=str(wire["created_at"]),
        mode=str(wire["mode"]),
        start=wire["from"],
        end=wire["to"],
        version=int(wire["version"]),
        result=str(wire["result"]),
        summary=dict(wire["summary"]),
        features=tuple(_feature(one) for one in wire["features"]),
    )


_ERRORS = ("mean_abs_error", "max_abs_error", "max_rel_error", "p50", "p95", "p99")


def _feature(wire: Mapping[str, Any]) -> ParityFeature:
    known = known_fields(ParityFeature, wire)
    known |= {name: _float(known[name]) for name in _ERRORS}
    return ParityFeature(**{**known, "worst": tuple(_example(one) for one in wire["worst"])})


def _example(wire: Mapping[str, Any]) -> ParityExample:
    known = known_fields(ParityExample, wire)
    return ParityExample(**{**known, "difference": _float(wire["difference"]), "causes": tuple(wire["causes"])})


def _tolerance(value: tuple[float, float] | float) -> dict[str, float]:
    relative, absolute = value if isinstance(value, tuple) else (value, 0.0)
    return {"relative": relative, "absolute": absolute}


def _float(value: object) -> float | None:
    """A number, also one that is written as text; None of what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _share(value: float | None) -> str:
    return "-" if value is None else f"{int(value * 10_000) / 100:.2f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"
