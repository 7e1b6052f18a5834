"""What the integration tests' Python has at hand: a store, frames whose answers are known, and raw Flight calls."""

# ruff: noqa: F401 - the tests use what is imported here

import json
import os
import threading
import time
from datetime import datetime

import featherflight as ff
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.flight as fl


def frame(users=(1, 2, 3), day=3, **columns):
    """Users at noon of a day of March 2026."""
    noon = pd.Timestamp(2026, 3, day, 12, tz="UTC")
    return pd.DataFrame({"user_id": users if isinstance(users, np.ndarray) else list(users), "event_timestamp": pd.Series([noon] * len(users)), **columns})


def ask(entity_df=None, features=("user_profile:age",), **options):
    """The answer as a table."""
    return store.get_historical_features(frame() if entity_df is None else entity_df, features, **options).to_arrow()


def ages(table):
    return table.column("age").to_pylist()


def still_works():
    assert ages(ask()) == [13, 23, 33]
    return "works"


def many(rows, seed=0, columns=0):
    """A large frame, and the ages that answer it."""
    random = np.random.default_rng(seed)
    users, days = random.integers(0, 1000, rows), random.integers(1, 6, rows)
    times = (np.datetime64("2026-02-28T12:00", "us") + days.astype("timedelta64[D]")).astype("datetime64[us]")
    table = pa.table(
        {
            "user_id": users,
            "event_timestamp": pa.array(times, pa.timestamp("us", "UTC")),
            **{f"c{index}": random.random(rows) for index in range(columns)},
        }
    )
    return table, 10 * users + days


def all_right(table, expected):
    return table.num_rows == len(expected) and bool((table.column("age").to_numpy() == expected).all())


class Trailer(fl.ClientMiddleware, fl.ClientMiddlewareFactory):
    """The server's own error of the last call, for calls beside the client."""

    def __init__(self):
        super().__init__()
        self.error = None

    def start_call(self, info):
        self.error = None
        return self

    def received_headers(self, headers):
        for value in headers.get("featherflight-error-bin", []):
            self.error = json.loads(value)


trailer = Trailer()


def connect(url):
    """To the server of the tests, or to its successor."""
    global store, raw
    store = ff.connect(url, progress=False)
    raw = fl.FlightClient(url, middleware=[trailer], generic_options=[("grpc.enable_http_proxy", 0)])


connect(os.environ["FEATHERFLIGHT_URL"])


def refused(call):
    """The server's error of a raw call that must fail."""
    try:
        call()
    except (pa.ArrowException, fl.FlightError) as error:
        return trailer.error or {"code": type(error).__name__, "message": str(error)}
    raise AssertionError("the call was not refused")


def command(**members):
    return fl.FlightDescriptor.for_command(json.dumps(members))


def request(**members):
    return command(**{"type": "get_historical_features", "features": ["user_profile:age"], **members})


def put(table, descriptor=None):
    writer, reader = raw.do_put(descriptor or command(type="upload"), table.schema)
    writer.write_table(table)
    writer.done_writing()
    result = reader.read()
    writer.close()
    return json.loads(result.to_pybytes())


def exchange(table, max_chunksize=None, write_options=None, **members):
    """Everything that comes down while the frame goes up, and the schema it came under."""
    writer, reader = raw.do_exchange(request(**members))

    def send():
        # Not the call's options, which an exchange does not heed.
        writer.begin(table.schema, options=write_options)
        writer.write_table(table, max_chunksize) if max_chunksize else writer.write_table(table)
        writer.done_writing()

    thread = threading.Thread(target=send)
    thread.start()
    answer = reader.read_all()
    thread.join()
    writer.close()
    return answer
