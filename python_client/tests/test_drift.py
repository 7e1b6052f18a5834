"""Reports of drift as a notebook sees them; a running server is asked in the integration tests."""

from __future__ import annotations

from typing import Any

import pytest

from featherflight._drift import DriftReport, decode_drift


def _values(counts: list[int], **given: Any) -> dict[str, Any]:
    return {
        "n": sum(counts),
        "mean": None,
        "null_rate": 0.0,
        "histogram": {"kind": "categories", "categories": ["Rome", "Oslo"], "counts": counts},
        **given,
    }


def _feature(name: str, result: str, **given: Any) -> dict[str, Any]:
    return {
        "view": "user_profile",
        "feature": name,
        "type": "string",
        "measure": None,
        "reference": _values([60, 40, 0]),
        "current": _values([10, 10, 80]),
        "psi": 1.25,
        "js": 0.5,
        "ks": None,
        "mean_change": None,
        "null_rate_change": 0.125,
        "default_rate_change": 0.0,
        "alarms": [],
        "result": result,
        "later": 1,
        **given,
    }


ALARM = {"alarm": "unseen_category", "text": "80 of 100 values were <never> seen"}
WIRE: dict[str, Any] = {
    "id": "a",
    "kind": "drift",
    "created_at": "2026-03-10T12:00:00.000000Z",
    "version": 3,
    "result": "FAIL",
    "reference": {"kind": "frame", "from": None, "to": None, "rows": 2000},
    "current": {"kind": "log", "from": "2026-03-09T12:00:00Z", "to": "2026-03-10T12:00:00Z", "rows": 1000},
    "summary": {"skipped": [{"feature": "clock:hour", "reason": "not in the training set"}], "advice": None},
    "features": [_feature("city", "FAIL", alarms=[ALARM]), _feature("plan", "PASS", never_varied='"free"')],
    "later": 1,
}


@pytest.fixture(name="report")
def make_report() -> DriftReport:
    return decode_drift(WIRE)


def test_a_report_holds_what_the_server_found(report: DriftReport) -> None:
    assert not report.passed
    assert [one.name for one in report.features] == ["user_profile:city", "user_profile:plan"]
    frame = report.to_pandas()
    assert list(frame["alarms"]) == ["unseen_category", ""]
    assert list(frame["psi"]) == [1.25, 1.25]


def test_a_report_names_the_datasets_that_it_compares() -> None:
    reference = {"kind": "dataset", "dataset": "ranker@3", "split": "train", "from": None, "to": None, "rows": 2000}
    current = {**reference, "dataset": "ranker@4", "split": None, "rows": 900}
    served = {"kind": "log", "from": "2026-03-09T12:00:00Z", "to": "2026-03-10T12:00:00Z", "rows": 70}
    headline = {
        "both": str(decode_drift({**WIRE, "reference": reference, "current": current})).splitlines()[0],
        "served": str(decode_drift({**WIRE, "reference": reference})).splitlines()[0],
        "against": str(decode_drift({**WIRE, "reference": served, "current": current})).splitlines()[0],
    }
    assert headline == {
        "both": "drift of 900 rows of ranker@4, against 2,000 of ranker@3:train: FAIL",
        "served": "drift of 1,000 rows served, against 2,000 of ranker@3:train: FAIL",
        "against": "drift of 900 rows of ranker@4, against 70 of what was served: FAIL",
    }


def test_a_report_reads_as_text(report: DriftReport) -> None:
    text = str(report)
    assert text.startswith("drift of 1,000 rows served, against 2,000 of a training set: FAIL\n")
    row = next(line for line in text.splitlines() if line.startswith("user_profile:city "))
    assert row.split() == ["user_profile:city", "1.250", "0.500", "-", "-", "+12.5%", "+0.0%", "FAIL"]
    assert "user_profile:city, unseen_category: 80 of 100 values were <never> seen" in text
    assert 'user_profile:plan: never varied, all values are "free" on both sides' in text
    assert "clock:hour: not compared, not in the training set" in text


def test_a_report_renders_with_histograms_of_what_fails(report: DriftReport) -> None:
    page = report._repr_html_()
    assert "&lt;never&gt;" in page
    assert page.count('<img alt="histograms of') == 1
    passed = decode_drift({**WIRE, "result": "PASS", "features": [_feature("plan", "PASS")]})
    assert "<img" not in passed._repr_html_()
