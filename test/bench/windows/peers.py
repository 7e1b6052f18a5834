"""The same windows by hand, in DuckDB SQL and in Polars in this process, from the same files, with the same rules.

A window at T holds the events from floor(T - W, hop) on that came before T. One output row per input row, in the
input's order; an Arrow table in the end. No two events of a user have the same time here, so that ties need no care.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
from make_data import FEATURES, HOPS, START_US, WINDOWS

SLICES = 4


def _arrange(features: Sequence[str]) -> dict[str, list[str]]:
    """By window the aggregates that are wanted in it."""
    wanted: dict[str, list[str]] = {window: [] for window in WINDOWS}
    for feature in features:
        name, window = feature.rsplit("_", 1)
        wanted[window].append(name)
    return {window: names for window, names in wanted.items() if names}


# Polars ---------------------------------------------------------------------------------------------------------------

_PAIRED = ("greatest", "items", "favourites")


def polars_ranges(frame: pd.DataFrame, data: Path, features: Sequence[str] = FEATURES) -> pa.Table:
    """Events sorted once by user and time; windows as ranges of rows found by binary search; differences of running
    sums for what they give, the events of the ranges side by side for the rest.
    """
    wanted = _arrange(features)
    amount = pl.col("amount").fill_null(0.0)
    paid = pl.when(pl.col("event_type") == "purchase").then(amount).otherwise(0.0)
    running = {
        "spent": paid,
        "quantity": pl.col("quantity").cast(pl.Int64),
        "completions": pl.col("event_type") == "completion",
        "begun": pl.col("event_type").is_in(["start", "completion"]),
        "amounts": pl.col("amount").is_not_null(),
        "total": amount,
        "squares": amount * amount,
    }
    before = [
        (pl.col(name).cum_sum().over("user_id") - pl.col(name)).alias(name) if name in ("spent", "total", "squares")
        # Counts and integers are exact over all users at once.
        else (pl.col(name).cast(pl.Int64).cum_sum() - pl.col(name).cast(pl.Int64)).alias(name)
        for name in running
    ]
    events = (
        pl.scan_parquet(data / "events.parquet")
        .with_columns(time=pl.col("event_time").dt.epoch("us") - START_US)
        .sort("user_id", "time")
        .with_columns(category=pl.col("category").cast(pl.Categorical), **running)
        .collect()
    )
    inclusive = events.select(
        [
            pl.col(name).cum_sum().over("user_id") if name in ("spent", "total", "squares") else pl.col(name).cast(pl.Int64).cum_sum()
            for name in running
        ]
    )
    exclusive = events.select(before)
    key = events.select(pl.col("user_id") * 2**42 + pl.col("time"))["user_id"]
    rows = pl.from_pandas(frame).select("user_id", time=pl.col("event_timestamp").dt.epoch("us") - START_US)
    order = rows.select(pl.col("user_id") * 2**42 + pl.col("time")).to_series().arg_sort()
    rows = rows[order]
    columns: dict[str, pl.Series] = {}
    ends = key.search_sorted(rows.select(pl.col("user_id") * 2**42 + pl.col("time")).to_series(), side="left")
    for window, names in wanted.items():
        left = (pl.col("time") + START_US - WINDOWS[window]) // HOPS[window] * HOPS[window] - START_US
        starts = key.search_sorted(
            rows.select(pl.col("user_id") * 2**42 + left.clip(lower_bound=0)).to_series(), side="left"
        )
        bounds = pl.DataFrame({"from": starts.cast(pl.Int64), "to": ends.cast(pl.Int64)})
        filled = (bounds["to"] > bounds["from"]).fill_null(False)
        last_at = bounds.select(pl.when(filled).then(pl.col("to") - 1))["to"]
        first_at = bounds.select(pl.when(filled).then(pl.col("from")))["from"]

        def over(name: str, last_at=last_at, first_at=first_at) -> pl.Series:
            return inclusive[name].gather(last_at) - exclusive[name].gather(first_at)

        made: dict[str, pl.Series] = {}
        if "events" in names:
            made["events"] = (bounds["to"] - bounds["from"]).cast(pl.Int64)
        if "spent" in names:
            made["spent"] = over("spent").fill_null(0.0)
        if "quantity" in names:
            made["quantity"] = over("quantity") / (bounds["to"] - bounds["from"])
        if "completion" in names:
            begun = over("begun")
            made["completion"] = pl.select(pl.when(begun > 0).then(over("completions") / begun)).to_series()
        if "spread" in names:
            count, total, squares = over("amounts"), over("total"), over("squares")
            variance = (squares - total * total / count) / (count - 1)
            made["spread"] = pl.select(
                pl.when(count > 1).then(pl.when(variance > 0).then(variance).otherwise(0.0).sqrt())
            ).to_series()
        if "category" in names:
            made["category"] = events["category"].gather(last_at).cast(pl.String)
        if "recent" in names:
            item = events["item_id"]
            steps = [
                bounds.select(pl.when(pl.col("to") - step > pl.col("from")).then(pl.col("to") - 1 - step))["to"]
                for step in range(5)
            ]
            recent = pl.DataFrame({str(at): item.gather(step) for at, step in enumerate(steps)})
            made["recent"] = recent.select(
                pl.when(filled).then(pl.concat_list(pl.all()).list.drop_nulls()).alias("recent")
            ).to_series()
        made |= _polars_paired(events, bounds, [name for name in names if name in _PAIRED])
        for name, values in made.items():
            columns[f"{name}_{window}"] = values
    answer = pl.DataFrame({"at": order, **{name: columns[name] for name in features}}).sort("at").drop("at")
    return pl.concat([pl.from_pandas(frame), answer], how="horizontal").to_arrow(compat_level=pl.CompatLevel.oldest())


def _polars_paired(events: pl.DataFrame, bounds: pl.DataFrame, names: Sequence[str]) -> dict[str, pl.Series]:
    """Aggregates over the events of each window side by side, some rows of the frame at a time."""
    if not names:
        return {}
    size = -(-bounds.height // SLICES)
    parts = [_polars_slice(events, bounds.slice(at * size, size), names) for at in range(SLICES)]
    return {name: pl.concat([part[name] for part in parts]) for name in names}


def _polars_slice(events: pl.DataFrame, bounds: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    index = (
        bounds.with_row_index("row")
        .filter(pl.col("to") > pl.col("from"))
        .select("row", at=pl.int_ranges("from", "to"))
        .explode("at")
    )
    pairs = pl.concat(
        [index.select("row"), events.select("item_id", "category", "amount")[index["at"]]], how="horizontal"
    ).lazy()
    wanted = []
    if "greatest" in names or "items" in names:
        aggregates = []
        if "greatest" in names:
            aggregates.append(pl.col("amount").max().alias("greatest"))
        if "items" in names:
            aggregates.append(pl.col("item_id").n_unique().cast(pl.Int64).alias("items"))
        wanted.append(pairs.group_by("row").agg(aggregates))
    if "favourites" in names:
        wanted.append(
            pairs.group_by("row", "category")
            .len()
            .with_columns(pl.col("category").cast(pl.String))
            .sort("row", "len", "category", descending=[False, True, False])
            .group_by("row", maintain_order=True)
            .agg(pl.col("category").head(3).alias("favourites"))
        )
    out = bounds.with_row_index("row").select("row").lazy()
    for part in wanted:
        out = out.join(part, on="row", how="left", maintain_order="left")
    if "items" in names:
        out = out.with_columns(pl.col("items").fill_null(0))
    return out.collect()


# DuckDB ---------------------------------------------------------------------------------------------------------------

_SIMPLE = {
    "events": "count(e.event_time) filter ({w})",
    "spent": "coalesce(sum(e.amount) filter ({w} and e.event_type = 'purchase'), 0)",
    "quantity": "avg(e.quantity) filter ({w})",
    "completion": (
        "count(*) filter ({w} and e.event_type = 'completion')"
        " / nullif(count(*) filter ({w} and e.event_type in ('start', 'completion')), 0)"
    ),
    "greatest": "max(e.amount) filter ({w})",
    "category": "arg_max(e.category, e.event_time) filter ({w})",
    "items": "count(distinct e.item_id) filter ({w})",
    "spread": "stddev_samp(e.amount) filter ({w})",
    "recent": "max_by(e.item_id, e.event_time, 5) filter ({w})",
}


def _connect(frame: pd.DataFrame, data: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "10GB"})
    connection.execute("set timezone = 'UTC'")
    connection.register("frame", frame)
    lefts = ", ".join(
        f"make_timestamptz((epoch_us(event_timestamp) - {WINDOWS[window]}) // {HOPS[window]} * {HOPS[window]}) as left_{window}"
        for window in WINDOWS
    )
    connection.execute(
        f"create temp table f as select row_number() over () as nr, user_id, event_timestamp, {lefts} from frame"
    )
    connection.execute(f"create view e as from read_parquet('{data / 'events.parquet'}')")
    return connection


def duckdb_join(frame: pd.DataFrame, data: Path, features: Sequence[str] = FEATURES) -> pa.Table:
    """Each row joined with the events of its widest window, and all aggregates filtered from them in one pass."""
    connection = _connect(frame, data)
    wanted = _arrange(features)
    widest = list(wanted)[-1]
    aggregates, top, top_windows = [], [], []
    for window, names in wanted.items():
        inside = f"where e.event_time >= f.left_{window}"
        aggregates += [f"{_SIMPLE[name].format(w=inside)} as {name}_{window}" for name in names if name != "favourites"]
        if "favourites" in names:
            top_windows.append(window)
            top.append(
                f"(list(category order by n_{window} desc, category) filter (n_{window} > 0))[1:3] as favourites_{window}"
            )
    pairs = (
        f"f left join e on e.user_id = f.user_id and e.event_time < f.event_timestamp and e.event_time >= f.left_{widest}"
    )
    connection.execute(f"create temp table a as select f.nr, {', '.join(aggregates)} from {pairs} group by f.nr")
    joined = "a"
    if top:
        counts = ", ".join(f"count(*) filter (e.event_time >= f.left_{window}) as n_{window}" for window in top_windows)
        connection.execute(
            f"""create temp table c as select nr, {", ".join(top)} from (
              select f.nr, e.category, {counts} from {pairs.replace("left join", "join")} group by f.nr, e.category)
            group by nr"""
        )
        joined = "a left join c using (nr)"
    return connection.sql(
        f"select g.* exclude (nr), {', '.join(features)}"
        f" from (select row_number() over () as nr, * from frame) g join ({joined}) using (nr) order by nr"
    ).to_arrow_table()


def duckdb_frames(frame: pd.DataFrame, data: Path, features: Sequence[str] = FEATURES) -> pa.Table:
    """Events and rows in one sorted relation, range frames with a bound by row; what has no place there is joined."""
    connection = _connect(frame, data)
    wanted = _arrange(features)
    windowed, paired = [], []
    for feature in features:
        (paired if feature.rsplit("_", 1)[0] in ("favourites", "items") else windowed).append(feature)
    overs = {
        "events": "count(event_time) over {w}",
        "spent": "coalesce(sum(paid) over {w}, 0)",
        "quantity": "avg(quantity) over {w}",
        "completion": "sum(completed) over {w} / nullif(sum(begun) over {w}, 0)",
        "greatest": "max(amount) over {w}",
        "category": "last_value(category ignore nulls) over {w}",
        "spread": "stddev_samp(amount) over {w}",
        "recent": "list_reverse(list(item_id) filter (item_id is not null) over {w})[1:5]",
    }
    select = [f"{overs[f.rsplit('_', 1)[0]].format(w='w' + f.rsplit('_', 1)[1])} as {f}" for f in windowed]
    frames = ", ".join(
        f"w{window} as (partition by user_id order by place range between width_{window} preceding and current row)"
        for window in wanted
    )
    widths = ", ".join(f"2 * (epoch_us(event_timestamp) - epoch_us(left_{window})) as width_{window}" for window in wanted)
    none = ", ".join(f"0::bigint as width_{window}" for window in wanted)
    connection.execute(f"""create temp table a as select * from (
      select nr, {", ".join(select)} from (
        select null as nr, user_id, 2 * epoch_us(event_time) + 1 as place, event_time, category, item_id, amount, quantity,
          case when event_type = 'purchase' then amount end as paid, (event_type = 'completion')::int as completed,
          (event_type in ('start', 'completion'))::int as begun, {none} from e
        union all by name
        select nr, user_id, 2 * epoch_us(event_timestamp) as place, {widths} from f
      ) window {frames}) where nr is not null""")
    rest = duckdb_join(frame, data, paired) if paired else None
    answer = connection.sql(
        f"select g.* exclude (nr), {', '.join(windowed)}"
        " from (select row_number() over () as nr, * from frame) g join a using (nr) order by nr"
    ).to_arrow_table()
    for name in paired:
        answer = answer.append_column(name, rest.column(name))
    return answer.select([*frame.columns, *features])


PEERS: dict[str, Callable[..., pa.Table]] = {
    "polars": polars_ranges,
    "duckdb, join": duckdb_join,
    "duckdb, frames": duckdb_frames,
}
