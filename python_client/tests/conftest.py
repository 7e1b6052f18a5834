from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

import featherflight as ff
from stand_in_server import StandInServer


@pytest.fixture
def server() -> Iterator[StandInServer]:
    with StandInServer() as server:
        yield server


@pytest.fixture
def store(server: StandInServer) -> Iterator[ff.Store]:
    with ff.connect(server.url) as store:
        yield store


@pytest.fixture
def frame() -> pd.DataFrame:
    return make_frame(2500)


def make_frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": pd.Series(range(rows), dtype="int64"),
            "event_timestamp": pd.Timestamp("2026-03-10 12:00", tz="UTC") + pd.to_timedelta(range(rows), unit="s"),
            "label": pd.Series([0.5] * rows, dtype="float64"),
        }
    )
