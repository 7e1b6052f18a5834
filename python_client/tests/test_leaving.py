from __future__ import annotations

import _thread
import gc
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import featherflight as ff
from conftest import make_frame
from featherflight import _answer_stream
from stand_in_server import StandInServer

AGE = ["user_profile:age"]


def wait_until(condition: Any, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """In the background of a shell a process ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_cancel_from_another_thread_ends_the_read(server: StandInServer, store: ff.Store) -> None:
    server.faults.wait_seconds = 20
    job = store.get_historical_features(make_frame(5000), AGE)
    threading.Timer(0.3, job.cancel).start()
    started = time.monotonic()
    with pytest.raises(ff.CancelledError):
        job.to_arrow()
    assert time.monotonic() - started < 3
    wait_until(lambda: server.faults.cancelled_queries == [job._plan.query])
    with pytest.raises(ff.CancelledError, match="call get_historical_features again"):
        job.to_pandas()
    assert "cancelled" in repr(job)


def test_cancel_keeps_an_answer_that_was_read(store: ff.Store, frame: pd.DataFrame) -> None:
    job = store.get_historical_features(frame, AGE)
    job.to_arrow()
    job.cancel()
    assert job.to_pandas().shape == (2500, 4)


def test_leaving_a_stream_stops_it(server: StandInServer, store: ff.Store) -> None:
    job = store.get_historical_features(make_frame(200_000), AGE, batch_rows=100)
    reader = job.to_batches()
    reader.read_next_batch()
    assert server.faults.active == 1
    del reader
    gc.collect()
    wait_until(lambda: server.faults.active == 0)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "featherflight-answer"])


def test_cancel_stops_batches_whose_reader_was_closed(server: StandInServer, store: ff.Store) -> None:
    job = store.get_historical_features(make_frame(200_000), AGE, batch_rows=100)
    with job.to_batches() as reader:
        reader.read_next_batch()
    job.cancel()
    wait_until(lambda: server.faults.active == 0)
    assert server.faults.cancelled_queries == [job._plan.query]
    with pytest.raises(ff.CancelledError):
        list(reader)


def test_an_interrupt_comes_through_while_the_server_computes(
    server: StandInServer, store: ff.Store, frame: pd.DataFrame, interruptible: None
) -> None:
    server.faults.wait_seconds = 20
    job = store.get_historical_features(frame, AGE)
    threading.Timer(0.3, _thread.interrupt_main).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        job.to_arrow()
    assert time.monotonic() - started < 15
    wait_until(lambda: server.faults.active == 0)


def test_reading_ahead_is_bounded(server: StandInServer, store: ff.Store) -> None:
    job = store.get_historical_features(make_frame(10_000), AGE, batch_rows=100)
    stream = store._transport.get(job._plan.ticket)
    wait_until(lambda: len(stream._waiting) == _answer_stream.READ_AHEAD_BATCHES)
    time.sleep(0.2)
    assert len(stream._waiting) == _answer_stream.READ_AHEAD_BATCHES
    assert sum(1 for _ in stream) == 100
