"""The pyarrow side of the client's tests: frames.py make DIR writes source and frames; frames.py check DIR ANSWER compares an answer."""

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2026, 1, 1, tzinfo=UTC)
USERS, DAYS, ROWS, BIG = 500, 20, 1_000, 1_200_000
instant = pa.timestamp("us", "UTC")


def age_at(user, day):
    """What the source says of a user from that day on; user 0 is not in it."""
    return None if user == 0 else user * 100 + min(day, DAYS - 1)


def make(folder):
    pairs = [(user, day) for day in range(DAYS) for user in range(1, USERS)]
    source = {
        "user_id": pa.array([user for user, _ in pairs], pa.int64()),
        "event_timestamp": pa.array([START + timedelta(days=day) for _, day in pairs], instant),
        "age": pa.array([age_at(*pair) for pair in pairs], pa.int64()),
        "score": pa.array([user + day / 100 for user, day in pairs]),
        "city": pa.array([f"city {user % 7} of those far away" for user, _ in pairs]),
    }
    pq.write_table(pa.table(source), folder / "users.parquet")
    write(folder / "frame.arrows", frame(), pa.ipc.new_stream)
    plain = frame().select(["user_id", "event_timestamp", "word", "price"])
    pq.write_table(plain, folder / "frame.parquet")
    big = {
        "user_id": pa.array([row % USERS for row in range(BIG)], pa.int64()),
        "event_timestamp": pa.array([START + timedelta(days=row % DAYS, hours=1) for row in range(BIG)], instant),
    }
    write(folder / "big.arrow", pa.Table.from_batches([pa.record_batch(big)]), pa.ipc.new_file)


def frame():
    """Batches whose dictionaries change from one to the next, and types with every kind of layout."""
    return pa.Table.from_batches([frame_batch(first, min(first + 300, ROWS)) for first in range(0, ROWS, 300)])


def frame_batch(first, last):
    rows = range(first, last)
    words = pa.array([None if row % 11 == 0 else f"word {row % 5} of {first}" for row in rows])
    inner = pa.DictionaryArray.from_arrays(pa.array([row % 2 for row in rows], pa.int8()), pa.array([f"in {first}", "ner"]))
    offsets = pa.array(range(len(rows) + 1), pa.int32())
    columns = {
        "user_id": pa.array([row % USERS for row in rows], pa.int64()),
        "event_timestamp": pa.array([START + timedelta(days=row % DAYS, hours=1) for row in rows], instant),
        "word": words.dictionary_encode(),
        "words": pa.ListArray.from_arrays(offsets, inner),
        "price": pa.array([None if row % 7 == 0 else Decimal(row) / 4 for row in rows], pa.decimal128(12, 2)),
        "flag": pa.array([None if row % 13 == 0 else row % 2 == 0 for row in rows]),
        "point": pa.array([{"x": row, "y": [row] * (row % 3)} for row in rows]),
        "view": pa.array([f"a string view of more than twelve bytes {row}" for row in rows], pa.string_view()),
        "nothing": pa.nulls(len(rows)),
    }
    return pa.record_batch(columns, metadata={"origin": "here"})


def write(path, table, opened):
    with opened(path, table.schema) as writer:
        writer.write_table(table)


def check(folder, answer):
    with pa.ipc.open_stream(answer) as reader:
        got = reader.read_all()
    got.validate(full=True)
    sent = frame()
    assert got.schema.metadata[b"origin"] == b"here", got.schema.metadata
    assert b"featherflight.identity" in got.schema.metadata
    names = sent.schema.names
    assert got.schema.names == [*names, "age", "age__status", "age__event_timestamp", "age__is_default", "score", *SCORE], got.schema
    assert got.select(names).equals(sent)
    ages = [age_at(row % USERS, row % DAYS) for row in range(ROWS)]
    assert got["age"].to_pylist() == [-1 if age is None else age for age in ages]
    assert got["age__status"].to_pylist() == ["NOT_FOUND" if age is None else "PRESENT" for age in ages]
    print("ok")


SCORE = ["score__status", "score__event_timestamp", "score__is_default"]

if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
