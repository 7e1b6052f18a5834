"""Leak audits: the store's method, and what it found as a table and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from featherflight._checks import CheckedFeature, CheckReport, known_fields, send_frame
from featherflight._long_calls import run_long
from featherflight._progress import Progress
from featherflight._render import Column
from featherflight._request import encode_request
from featherflight.errors import InvalidArgumentError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from featherflight._frames import EntityFrame
    from featherflight._store import Store


@dataclass(frozen=True)
class LeakColumn(CheckedFeature):
    """What an audit found of one feature, or of one column of a table."""

    column: str
    rows: int
    agree: int
    """Rows that hold what could be known at their time."""
    leak_rows: int
    """Rows that rest on what was visible only after their time."""
    hindsight_rows: int | None
    """Rows that rest on rows created after their time; None where a source does not say when that was."""
    stale_rows: int
    """Rows that are older than what was known: no leak."""
    other: int
    """Rows that are what the feature was at no time looked at."""
    reach_seconds: float | None
    """How far beyond their time leaking rows reach, at most."""
    changed_share: float | None
    """Share of rows whose value was another one `delta` before."""
    verdict: str
    """`clean`, `leak`, `hindsight`, `stale`, `unexplained` or `no data`."""
    result: str
    """`PASS`, `FAIL` or `NO DATA`."""
    examples: tuple[Mapping[str, Any], ...]
    """Rows with their keys, time, value, truth and reach, as text."""
    text: str


@dataclass(frozen=True)
class LeakLabel:
    """A label that a column gives away."""

    label: str
    column: str
    how: str
    """`equal`, `determines`, `orders` or `separates`."""
    rows: int
    score: float
    text: str


@dataclass(frozen=True, repr=False)
class LeakReport(CheckReport):
    """What an audit found: rendered as a table and a plot, and whole in its fields."""

    summary: str
    rows: int
    """Rows that were looked at."""
    of: int
    """Rows of the frame."""
    leaking: tuple[str, ...]
    """The columns that leak, or give a label away."""
    features: tuple[LeakColumn, ...]
    labels: tuple[LeakLabel, ...]
    unmapped: Mapping[str, str]
    """Columns of a table that were not audited, and why."""
    not_examined: tuple[Mapping[str, str], ...] = ()
    """What could not be looked for: each with `what` (`hindsight`), the `source` and `text`."""

    def to_pandas(self) -> pd.DataFrame:
        """A row for each column that was audited, without its examples."""
        import pandas as pd

        names = [field.name for field in fields(LeakColumn) if field.name != "examples"]
        frame: pd.DataFrame = pd.DataFrame(
            [{name: getattr(one, name) for name in names} for one in self.features], columns=names
        )
        return frame

    def _notes(self) -> list[str]:
        notes = [f"{one.column}: {one.text}" for one in self.features if one.text] + [one.text for one in self.labels]
        return notes + self._page_notes()

    def _page_notes(self) -> list[str]:
        notes = [f"{column}: not audited, {text}" for column, text in self.unmapped.items()]
        return notes + [f"not examined: {one['what']}, {one['text']}" for one in self.not_examined]

    def _headline(self) -> str:
        rows = f"{self.rows:,} rows" if self.rows == self.of else f"{self.rows:,} of {self.of:,} rows"
        return f"leak audit of {rows}: {self.result}, {self.summary}"

    def _columns(self) -> list[Column]:
        given = {one.column for one in self.labels}
        shown, others = self.features, self._other_labels()
        return [
            Column("column", [one.column for one in shown] + [one.column for one in others]),
            Column("rows", [f"{one.rows:,}" for one in shown] + [f"{one.rows:,}" for one in others], numeric=True),
            Column("agree", [f"{one.agree:,}" for one in shown] + [""] * len(others), numeric=True),
            Column("leak", [f"{one.leak_rows:,}" for one in shown] + [""] * len(others), numeric=True),
            Column("hindsight", [_count(one.hindsight_rows) for one in shown] + [""] * len(others), numeric=True),
            Column("other", [f"{one.stale_rows + one.other:,}" for one in shown] + [""] * len(others), numeric=True),
            Column("reach", [_spell(one.reach_seconds) for one in shown] + [""] * len(others), numeric=True),
            Column(
                "verdict",
                [f"{one.verdict}, gives a label away" if one.column in given else one.verdict for one in shown]
                + ["gives a label away"] * len(others),
            ),
        ]

    def _page_columns(self) -> list[Column]:
        why = [one.text for one in self.features] + [one.text for one in self._other_labels()]
        return [*self._columns(), *([Column("why", why)] if any(why) else [])]

    def _other_labels(self) -> list[LeakLabel]:
        """Of columns that are no features."""
        features = {feature.column for feature in self.features}
        return [one for one in self.labels if one.column not in features]

    def _plot(self) -> tuple[Figure, str] | None:
        """What the rows of each column rest on, and how far beyond their time the leaking ones reach."""
        from matplotlib.figure import Figure

        differ = [one for one in self.features if one.agree < one.rows]
        shown = sorted(differ, key=lambda one: (one.leak_rows / one.rows, one.agree), reverse=True)[:_MOST_PLOTS]
        if not shown:
            return None
        leaking = any(one.reach_seconds is not None for one in shown)
        figure = Figure(figsize=(9.0 if leaking else 5.4, 1.5 + 0.3 * len(shown)), layout="constrained")
        axes = figure.subplots(
            1, 2 if leaking else 1, sharey=True, squeeze=False, width_ratios=[3, 2] if leaking else None
        )
        shares: Axes = axes[0][0]
        _draw_shares(shares, shown)
        figure.legend(*shares.get_legend_handles_labels(), fontsize=8, loc="outside upper left", ncols=len(_KINDS))
        if leaking:
            _draw_reach(axes[0][1], shown)
        return figure, "shares of rows that leak, and how far beyond their time they reach"


def audit_leaks(
    self: Store,
    entity_df: EntityFrame | None = None,
    features: Sequence[str] | str | None = None,
    *,
    table: EntityFrame | None = None,
    columns: Mapping[str, str] | None = None,
    labels: Sequence[str] = (),
    delta: str = "1h",
    as_known: bool | None = None,
    timestamp: str = "event_timestamp",
    timezone: str | None = None,
    at: datetime | str | None = None,
    keys: Mapping[str, Mapping[str, str]] | None = None,
    max_rows: int = 20_000,
    cuts: int = 4,
    threshold: float = 0.001,
    progress: bool | None = None,
) -> LeakReport:
    """Looks for values that rest on what happened after their rows' time.

    Either of a frame and features that the server would answer: it answers them again over sources from which the
    future has been removed, and compares. Or of a `table` that was made elsewhere, with keys, times and columns that
    claim to be features: each column is held against what could be known at each row's time.

    Args:
        entity_df: keys and times, as `get_historical_features` takes them.
        features: `["view:feature", …]`, or the name of a feature service. Of a table: what its columns may be.
        table: a frame with features in it, instead of `entity_df`.
        columns: of a table: column -> "view:feature", for columns whose names do not say it.
        labels: columns that are to be predicted: a feature that equals or determines one is named.
        delta: how far before its time a value is looked at, to tell how fast it changes: `90s`, `5m`, `1h`, `7d`.
        as_known: as in `get_historical_features`.
        timestamp: the column that holds each row's time.
        timezone: the zone of that column where its values carry none, as an IANA name.
        at: one time for all rows.
        keys: view or prefix -> {join key: the frame's column}, where the names differ.
        max_rows: rows to look at, about.
        cuts: instants at which the future is removed from the sources.
        threshold: of a table: share of leaking rows above which a column fails.
        progress: False shows no progress bar, True always does; None: as `connect` was told.

    Raises:
        InvalidArgumentError: keys, times or names are missing or wrong; the message names them and says what to do.
        NotFoundError: no such view, feature, service or file; the message names the nearest.
    """
    given = table if table is not None else entity_df
    if given is None or (entity_df is not None and table is not None):
        raise InvalidArgumentError("give either entity_df with features, or table=, one of them")
    if table is None and features is None:
        raise InvalidArgumentError("say what to audit with features=…; a table that holds features already is table=…")
    request = encode_request(
        features if features is not None else "-",
        full_feature_names=False,
        statuses=False,
        as_known=as_known,
        timestamp=timestamp,
        timezone=timezone,
        at=at,
        keys=keys,
        batch_rows=None,
        compression=None,
    )
    names = ("as_known", "timestamp", "timezone", "at", "keys")
    body: dict[str, Any] = {name: request[name] for name in names}
    if features is not None:
        body |= {"features": request["features"], "service": request["service"]}
    body |= {"table": table is not None, "columns": dict(columns or {}), "labels": list(labels), "delta": delta}
    body |= {"max_rows": max_rows, "cuts": cuts, "threshold": threshold}
    send_frame(self, given, body, progress)

    def show(bar: Progress, now: Mapping[str, Any]) -> None:
        bar.move("leak audit", now["step"], now["of"])

    return decode_leaks(run_long(self, "/api/v1/validate/leaks", body, progress, ("leak audit", "steps", show)))


def decode_leaks(wire: Mapping[str, Any]) -> LeakReport:
    """The report from its JSON; keys that a newer server adds are left out."""
    return LeakReport(
        id=str(wire["id"]),
        created_at=str(wire["created_at"]),
        result=str(wire["result"]),
        summary=str(wire["summary"]),
        rows=int(wire["rows"]),
        of=int(wire["of"]),
        leaking=tuple(wire["leaking"]),
        features=tuple(
            LeakColumn(**{**known_fields(LeakColumn, one), "examples": tuple(one["examples"])})
            for one in wire["features"]
        ),
        labels=tuple(LeakLabel(**known_fields(LeakLabel, one)) for one in wire["labels"]),
        unmapped={str(one["column"]): str(one["text"]) for one in wire["unmapped"]},
        not_examined=tuple(wire.get("not_examined", ())),
    )


_MOST_PLOTS = 30
_KINDS = {
    "agree": ("agree", "tab:green"),
    "leak": ("leak_rows", "tab:red"),
    "hindsight": ("hindsight_rows", "tab:orange"),
    "stale": ("stale_rows", "tab:blue"),
    "unexplained": ("other", "tab:gray"),
}


def _draw_shares(axes: Axes, shown: Sequence[LeakColumn]) -> None:
    places, left = range(len(shown)), [0.0] * len(shown)
    for label, (field, color) in _KINDS.items():
        shares = [(getattr(one, field) or 0) / one.rows for one in shown]
        axes.barh(places, shares, left=left, label=label, color=color)
        left = [before + share for before, share in zip(left, shares, strict=True)]
    axes.set_yticks(places, [one.column for one in shown], fontsize=8)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_xlim(0, 1)
    axes.set_title("what rows rest on", fontsize=9)


def _draw_reach(axes: Axes, shown: Sequence[LeakColumn]) -> None:
    """The most of each as a bar, examples as dots; microseconds stand beside months."""
    for place, one in enumerate(shown):
        if one.reach_seconds is None:
            continue
        axes.barh(place, one.reach_seconds, color="tab:red", alpha=0.5)
        axes.annotate(
            _spell(one.reach_seconds),
            (one.reach_seconds, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
        reaches = [each["reach_seconds"] for each in one.examples if each.get("reach_seconds") is not None]
        axes.plot(reaches, [place] * len(reaches), "k.", markersize=4)
    axes.set_xscale("symlog", linthresh=1)
    most = max(one.reach_seconds or 0.0 for one in shown)
    axes.set_xlim(0, 100 * max(most, 1.0))
    axes.minorticks_off()
    marks = {0: "T", 1: "1 s", 60: "1 min", 3600: "1 h", 86_400: "1 d", 30 * 86_400: "30 d", 365 * 86_400: "1 y"}
    near = {at: mark for at, mark in marks.items() if at <= max(most, 1.0)}
    axes.set_xticks(list(near), list(near.values()), fontsize=7)
    axes.set_title("how far beyond their time, at most", fontsize=9)


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _spell(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("s", 1.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.6f} s"
