"""Reports of parity as a notebook sees them; a running server is asked in the integration tests."""

from __future__ import annotations

from typing import Any

import pytest

from featherflight._parity import ParityReport, decode_parity

FEATURE: dict[str, Any] = {
    "view": "user_profile",
    "feature": "age",
    "type": "int64",
    "n": 3,
    "exact": 2,
    "within_tolerance": 2,
    "only_online_null": 0,
    "only_offline_null": 0,
    "status_mismatch": 0,
    "default_mismatch": 0,
    "event_timestamp_mismatch": 0,
    "mean_abs_error": 1.5,
    "max_abs_error": "Infinity",
    "max_rel_error": 0.5,
    "smape": 0.1,
    "pearson": None,
    "p50": 0,
    "p95": 4,
    "p99": 4,
    "share_within": 2 / 3,
    "tolerance": {"relative": 0, "absolute": 0},
    "result": "FAIL",
    "examined": 1,
    "causes": {"bug": 1},
    "worst": [
        {
            "keys": {"user_id": "1"},
            "evaluated_at": "2026-03-10T12:00:00.000000Z",
            "online": {"value": "999", "status": "PRESENT", "is_default": False, "event_timestamp": None},
            "offline": {"value": "21", "status": "PRESENT", "is_default": False, "event_timestamp": None},
            "difference": 978,
            "cause": "bug",
            "causes": ["bug"],
            "evidence": {"online": [], "offline": [], "text": "nothing <explains> it"},
            "later": 1,
        }
    ],
    "later": 1,
}
WIRE: dict[str, Any] = {
    "id": "a",
    "kind": "parity",
    "created_at": "2026-03-10T12:00:00.000000Z",
    "mode": "log",
    "from": None,
    "to": None,
    "version": 1,
    "result": "FAIL",
    "summary": {"rows": 3, "pairs": 3, "differences": 1, "gone": ["old:x"], "skipped": [], "advice": None},
    "features": [FEATURE],
}


def report() -> ParityReport:
    return decode_parity(WIRE)


def test_decodes_numbers_by_name_and_leaves_out_what_is_new() -> None:
    (feature,) = report().features
    assert not report().passed
    assert feature.max_abs_error == float("inf")
    assert feature.name == "user_profile:age"
    assert feature.worst[0].difference == 978.0


def test_renders_for_terminals_and_notebooks() -> None:
    text = str(report())
    assert "66.66 %" in text
    assert "old:x: served, and not defined any more" in text
    page = report()._repr_html_()
    assert "<table>" in page
    assert "bug 1" in page
    assert "old:x: served, and not defined any more" in page
    assert "color" not in page.partition("<img")[0], "what a theme decides is left to it"
    assert '<td style="text-align:right;white-space:nowrap">66.66 %</td>' in page


def test_plots_where_matplotlib_is_there() -> None:
    pytest.importorskip("matplotlib")
    assert "data:image/png;base64," in report()._repr_html_()


def test_is_a_frame_with_a_column_for_each_cause() -> None:
    pytest.importorskip("pandas")
    frame = report().to_pandas()
    assert frame.loc[0, "cause_bug"] == 1
    assert frame.loc[0, "n"] == 3
    assert "worst" not in frame.columns
