"""Times streams from our Flight server and from pyarrow's, in turns, to one pyarrow client: `compare.py FOLDER ROUNDS`."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import featherflight as ff
import numpy as np
import pyarrow as pa
import pyarrow.flight as fl
import pyarrow.parquet as pq
from bench_server import NODE, Server, process_that_serves, running_server
from measure import cpu_seconds, median_ratio, ratio, timed, verdict, wait_for_quiet

BATCH_ROWS = 65_536
NUMBER_ROWS, NUMBER_COLUMNS = 2_000_000, 20
STRING_ROWS, STRING_COLUMNS = 1_000_000, 6
KEYS = 10_000
BARS = {"numbers": 1.0, "strings": 0.8}
HERE = Path(__file__).parent

_DEFINITIONS = """import { batchSource, entity, featureView, parquet } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const profiles = batchSource('profiles', { table: parquet('data/profiles.parquet'), eventTimestamp: 'event_timestamp' });
export const profile = featureView('profile', { entities: [user], source: profiles, features: { age: { type: 'float64' } } });
"""


def make_numbers(rows: int) -> pa.Table:
    """Doubles without nulls."""
    rng = np.random.default_rng(1)
    return pa.table({f"n{number}": rng.normal(size=rows) for number in range(NUMBER_COLUMNS)})


def make_strings(rows: int) -> pa.Table:
    """Texts of 0 to 40 bytes."""
    rng = np.random.default_rng(2)
    letters = pa.py_buffer(rng.integers(97, 123, rows * 40, dtype=np.uint8))
    columns = {}
    for number in range(STRING_COLUMNS):
        offsets = np.zeros(rows + 1, dtype=np.int32)
        np.cumsum(rng.integers(0, 41, rows), out=offsets[1:])
        columns[f"s{number}"] = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), letters)
    return pa.table(columns)


def write_stream(table: pa.Table, path: Path) -> None:
    """An Arrow IPC stream in batches of the size that the product sends."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=BATCH_ROWS)


@contextmanager
def flight_client(server: Server) -> Iterator[fl.FlightClient]:
    """A plain pyarrow client."""
    with fl.connect(
        server.url.replace("grpc://", "grpc+tcp://"), generic_options=[("grpc.enable_http_proxy", 0)]
    ) as client:
        yield client


def read_all(client: fl.FlightClient, ticket: int) -> pa.Table:
    """The whole stream as a table."""
    return client.do_get(fl.Ticket(str(ticket).encode())).read_all()


@dataclass
class Side:
    """A stream to measure: its server's process, what reads it, and what came of it."""

    name: str
    pid: int
    read: Callable[[], Any]
    times: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def in_turns(sides: list[Side], rounds: int) -> None:
    """Who goes first changes each round. Each side runs twice before, untimed."""
    for side in sides * 2:
        side.read()
    for number in range(rounds):
        wait_for_quiet()
        for side in sides if number % 2 == 0 else sides[::-1]:
            before = cpu_seconds(side.pid)
            took, result = timed(side.read)
            del result
            side.times.append(took)
            side.processor.append(cpu_seconds(side.pid) - before)


def show(what: str, table: pa.Table, sides: list[Side], bar: float | None) -> None:
    """Rates, and how much of pyarrow's rate ours is."""
    size = table.nbytes / 1e6
    print(f"\n{what}: {table.num_rows:,} rows, {table.num_columns} columns, {size:.0f} MB")
    for side in sides:
        rate = f"{size / statistics.median(side.times):6.0f} MB/s, best {size / min(side.times):6.0f} MB/s"
        print(
            f"  {side.name:<28} {rate}, {sum(side.processor) * 1000 / len(side.times) / size:5.2f} s of its processor time a GB"
        )
    ours, theirs = (side.times for side in sides)
    print(f"  rate, ours / pyarrow's       {ratio(theirs, ours)} (n={len(ours)})")
    if bar is not None:
        print(f"  {verdict(median_ratio(theirs, ours), bar, at_most=False)}")


def compare_rooms(folder: Path, rounds: int) -> None:
    """The same encoded batches from both servers."""
    tables = {"numbers": make_numbers(NUMBER_ROWS), "strings": make_strings(STRING_ROWS)}
    paths = [folder / f"{name}.arrows" for name in tables]
    for path, table in zip(paths, tables.values(), strict=True):
        write_stream(table, path)
    with (
        process_that_serves([NODE, HERE / "serve-batches.mjs", *paths]) as mine,
        process_that_serves([sys.executable, HERE / "serve_batches.py", *paths]) as theirs,
        flight_client(mine) as our_client,
        flight_client(theirs) as their_client,
    ):
        for ticket, (name, table) in enumerate(tables.items()):
            for client in (our_client, their_client):
                if not read_all(client, ticket).equals(table):
                    raise SystemExit(f"the {name} that came are not those that were sent")
            sides = [
                Side("our Flight server", mine.pid, lambda ticket=ticket: read_all(our_client, ticket)),
                Side("pyarrow's Flight server", theirs.pid, lambda ticket=ticket: read_all(their_client, ticket)),
            ]
            in_turns(sides, rounds)
            show(name, table, sides, BARS[name])


def compare_product(folder: Path, name: str, columns: pa.Table, rounds: int) -> None:
    """An uploaded frame with these columns comes back with one feature; pyarrow's server sends the finished answer."""
    rng = np.random.default_rng(3)
    rows = columns.num_rows
    times_us = pa.array(rng.integers(1_735_689_600_000_000, 1_767_225_600_000_000, rows))
    frame = columns.append_column("user_id", pa.array(rng.integers(0, KEYS, rows)))
    frame = frame.append_column("event_timestamp", times_us.cast(pa.timestamp("us", "UTC")))
    with running_server(folder / "repository", fresh=True) as mine, ff.connect(mine.url, progress=False) as store:
        job = store.get_historical_features(frame, features=["profile:age"])
        answer = pa.Table.from_batches(job.to_batches())
        write_stream(answer, folder / "answer.arrows")
        with (
            process_that_serves([sys.executable, HERE / "serve_batches.py", folder / "answer.arrows"]) as theirs,
            flight_client(theirs) as client,
        ):
            sides = [
                Side("our server, feature joined", mine.pid, lambda: list(job.to_batches())),
                Side("pyarrow's Flight server", theirs.pid, lambda: read_all(client, 0)),
            ]
            in_turns(sides, rounds)
            show(f"whole product, {name}", answer, sides, None)


def make_repository(folder: Path) -> None:
    """One view with one feature."""
    (folder / "data").mkdir(parents=True)
    (folder / "features").mkdir()
    (folder / "featherflight.config.ts").write_text(
        "import { defineConfig } from 'featherflight';\n"
        "export default defineConfig({ project: 'bench', flight: { port: 0 } });\n"
    )
    (folder / "features" / "user.ts").write_text(_DEFINITIONS)
    event = pa.array(np.full(KEYS, 1_735_689_600_000_000)).cast(pa.timestamp("us", "UTC"))
    ages = np.random.default_rng(4).normal(size=KEYS)
    pq.write_table(
        pa.table({"user_id": np.arange(KEYS), "event_timestamp": event, "age": ages}),
        folder / "data" / "profiles.parquet",
    )


def main(folder: Path, rounds: int) -> None:
    """Measures and prints."""
    compare_rooms(folder, rounds)
    make_repository(folder / "repository")
    compare_product(folder, "numbers", make_numbers(NUMBER_ROWS), rounds)
    compare_product(folder, "strings", make_strings(STRING_ROWS), rounds)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
