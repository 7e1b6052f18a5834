"""The same training set by Polars and by DuckDB in this process, from the same files, with the same rules.

Both: of a key's rows not after T the latest wins, of equal ones the one created last; older than the ttl is null;
one output row per input row, in the input's order; an Arrow table in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
from make_data import FEATURES, VIEWS

TTL_DAYS = 30


def polars_join(frame: pd.DataFrame, data: Path) -> pa.Table:
    """`join_asof` on sorted frames: of equal times it takes the last row, so sorting by created time breaks ties."""
    out = pl.from_pandas(frame).with_row_index("__row").sort("event_timestamp")
    for view in VIEWS:
        source = (
            pl.read_parquet(data / f"{view}.parquet")
            .sort("event_timestamp", "created_timestamp")
            .drop("created_timestamp")
            .rename({name: f"{view}__{name}" for name in FEATURES})
        )
        out = out.join_asof(
            source, on="event_timestamp", by="user_id", tolerance=f"{TTL_DAYS}d", check_sortedness=False
        )
    return out.sort("__row").drop("__row").to_arrow()


def polars_unique_join(frame: pd.DataFrame, data: Path) -> pa.Table:
    """The same with ties dropped before the join, which takes one more sort."""
    out = pl.from_pandas(frame).with_row_index("__row").sort("event_timestamp")
    for view in VIEWS:
        source = (
            pl.read_parquet(data / f"{view}.parquet")
            .sort("user_id", "event_timestamp", "created_timestamp")
            .unique(["user_id", "event_timestamp"], keep="last", maintain_order=True)
            .sort("event_timestamp")
            .drop("created_timestamp")
            .rename({name: f"{view}__{name}" for name in FEATURES})
        )
        out = out.join_asof(
            source, on="event_timestamp", by="user_id", tolerance=f"{TTL_DAYS}d", check_sortedness=False
        )
    return out.sort("__row").drop("__row").to_arrow()


def polars_lazy_join(frame: pd.DataFrame, data: Path) -> pa.Table:
    """The same as one lazy query, both views planned together."""
    out = pl.from_pandas(frame).lazy().with_row_index("__row").sort("event_timestamp")
    for view in VIEWS:
        source = (
            pl.scan_parquet(data / f"{view}.parquet")
            .sort("event_timestamp", "created_timestamp")
            .drop("created_timestamp")
            .rename({name: f"{view}__{name}" for name in FEATURES})
        )
        out = out.join_asof(
            source, on="event_timestamp", by="user_id", tolerance=f"{TTL_DAYS}d", check_sortedness=False
        )
    return out.sort("__row").drop("__row").collect().to_arrow()


def duckdb_join(frame: pd.DataFrame, data: Path) -> pa.Table:
    """`ASOF JOIN` over each view's rows with ties broken first."""
    connection = duckdb.connect(":memory:", config={"threads": 2})
    connection.execute("set timezone = 'UTC'")
    connection.register("frame", frame)
    joins, values = [], []
    for number, view in enumerate(VIEWS):
        alias = f"v{number}"
        young = f"{alias}.event_timestamp >= f.event_timestamp - interval {TTL_DAYS} days"
        values += [f"case when {young} then {alias}.{name} end as {view}__{name}" for name in FEATURES]
        joins.append(
            f"""asof left join (
              select * from read_parquet('{data / f"{view}.parquet"}')
              qualify row_number() over (partition by user_id, event_timestamp order by created_timestamp desc) = 1
            ) {alias} on f.user_id = {alias}.user_id and f.event_timestamp >= {alias}.event_timestamp"""
        )
    sql = f"""with f as (select *, row_number() over () as __row from frame)
      select f.* exclude (__row), {", ".join(values)} from f {" ".join(joins)} order by f.__row"""
    return connection.sql(sql).to_arrow_table()


def duckdb_two_step_join(frame: pd.DataFrame, data: Path) -> pa.Table:
    """`ASOF JOIN` on the times alone, then the last created of the rows that were hit."""
    connection = duckdb.connect(":memory:", config={"threads": 2})
    connection.execute("set timezone = 'UTC'")
    connection.register("frame", frame)
    connection.execute("create temp table f as select *, row_number() over () as __row from frame")
    joins, values = [], []
    for view in VIEWS:
        connection.execute(f"create temp table {view} as from read_parquet('{data / f'{view}.parquet'}')")
        connection.execute(f"""create temp table {view}_hit as
          select f.__row, f.user_id, s.event_timestamp from f
          asof join (select user_id, event_timestamp from {view}) s
          on f.user_id = s.user_id and f.event_timestamp >= s.event_timestamp
          where s.event_timestamp >= f.event_timestamp - interval {TTL_DAYS} days""")
        packed = ", ".join(f"{name} := {name}" for name in FEATURES)
        connection.execute(f"""create temp table {view}_best as
          select user_id, event_timestamp, arg_max(struct_pack({packed}), created_timestamp) as best
          from {view} semi join {view}_hit using (user_id, event_timestamp) group by all""")
        values += [f"{view}_best.best.{name} as {view}__{name}" for name in FEATURES]
        joins.append(
            f"left join {view}_hit on f.__row = {view}_hit.__row "
            f"left join {view}_best on {view}_hit.user_id = {view}_best.user_id "
            f"and {view}_hit.event_timestamp = {view}_best.event_timestamp"
        )
    sql = f"select f.* exclude (__row), {', '.join(values)} from f {' '.join(joins)} order by f.__row"
    return connection.sql(sql).to_arrow_table()


PEERS: dict[str, Callable[[pd.DataFrame, Path], pa.Table]] = {
    "polars": polars_join,
    "polars, lazy": polars_lazy_join,
    "polars, unique": polars_unique_join,
    "duckdb": duckdb_join,
    "duckdb, two steps": duckdb_two_step_join,
}
