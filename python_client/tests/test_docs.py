from __future__ import annotations

from pathlib import Path

import pytest

import featherflight as ff
from conftest import make_frame
from stand_in_server import StandInServer

REFERENCE = Path(__file__).parents[2] / "docs/reference"


def snippets(page: str) -> list[str]:
    return [block.split("```")[0] for block in (REFERENCE / page).read_text().split("```python\n")[1:]]


def test_the_shortest_flight_client_runs(server: StandInServer) -> None:
    (snippet,) = snippets("flight.md")
    exec(snippet.replace("grpc://127.0.0.1:8815", server.url), {})


def test_the_python_page_names_what_is_there() -> None:
    page = (REFERENCE / "python.md").read_text()
    for name in ff.__all__:
        parts = ("EventReport", "FeatureReport", "InvalidReason", "JobReport", "LeakColumn", "LeakLabel")
        if name not in ("HistoricalJob", "Store", *parts):
            assert name in page


def test_the_first_training_set_of_the_page_runs(store: ff.Store, capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = [code for code in snippets("python.md") if "print(job.report)" in code]
    names = {"store": store, "entity_df": make_frame(10)}
    exec(snippet, names)
    assert list(names["frame"].columns[-2:]) == ["age", "score"]  # type: ignore[attr-defined]
    assert "10 rows in" in capsys.readouterr().out
