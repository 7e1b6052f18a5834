from __future__ import annotations

import io
import sys
from typing import Any

import pandas as pd
import pytest

import featherflight as ff
from featherflight import _progress
from featherflight._progress import NotebookProgress, Progress, TerminalProgress, open_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_line_that_ends_complete(
    store: ff.Store, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    job = store.get_historical_features(frame, ["user_profile:age"])
    job.to_arrow()
    last = terminal.getvalue().split("\r")[-1]
    assert last.startswith("features [████████████████████████] 2,500 of 2,500 rows, 100%")
    assert last.endswith("\n")
    written = terminal.getvalue()
    job.to_batches().read_all()
    assert terminal.getvalue() == written


def test_no_terminal_no_bar(store: ff.Store, frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    store.get_historical_features(frame, ["user_profile:age"]).to_arrow()
    store.get_historical_features(frame, ["user_profile:age"], progress=False).to_arrow()
    assert capsys.readouterr() == ("", "")
    store.get_historical_features(frame, ["user_profile:age"], progress=True).to_arrow()
    out, err = capsys.readouterr()
    assert out == ""
    assert "2,500 of 2,500 rows" in err


def test_a_bar_that_stops_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), TerminalProgress("features", 10) as bar:  # noqa: PT012
        bar.add(5)
        raise ValueError("x")
    assert "5 of 10 rows, 50%" in capsys.readouterr().err.split("\r")[-1]


def test_an_unknown_total_shows_rows_only(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress("features", None) as bar:
        bar.add(5)
    assert "[" not in capsys.readouterr().err
    assert TerminalProgress("features", 0).share == 1.0


def test_a_short_wait_shows_nothing_before_its_delay(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress("entity rows", 10, delay_seconds=5) as bar:
        bar.add(10)
    assert capsys.readouterr().err == ""


def test_a_notebook_gets_html_updated_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    import IPython.display

    shown: list[str] = []

    class Handle:
        def update(self, html: Any) -> None:
            shown.append(html.data)

    def display(html: Any, display_id: bool) -> Handle:
        assert display_id
        shown.append(html.data)
        return Handle()

    monkeypatch.setattr(IPython.display, "display", display)
    monkeypatch.setattr(_progress, "_in_notebook", lambda: True)
    with open_progress(None, "feat<ures", 4) as bar:
        assert isinstance(bar, NotebookProgress)
        bar.add(4)
    assert len(shown) == 2
    assert "width:100.0%" in shown[-1]
    assert "feat&lt;ures" in shown[-1]
    assert "#16a34a" in shown[-1]


def test_outside_a_kernel_there_is_no_notebook() -> None:
    assert not _progress._in_notebook()
    assert type(open_progress(False, "x", 1)) is Progress
