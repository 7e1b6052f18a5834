from __future__ import annotations

import pytest

import featherflight as ff
from conftest import make_frame
from featherflight._leaks import decode_leaks

COLUMN = {
    "column": "entropy",
    "view": "activity",
    "feature": "entropy",
    "rows": 10,
    "agree": 2,
    "leak_rows": 8,
    "hindsight_rows": None,
    "stale_rows": 0,
    "other": 0,
    "reach_seconds": 172_800.0,
    "changed_share": 0.5,
    "verdict": "leak",
    "result": "FAIL",
    "examples": [{"row": 3, "keys": {"user_id": "1"}, "value": "1", "truth": "0"}],
    "text": "8 of 10 rows rest on <what> happened after their time",
    "added_later": 1,
}
LABEL = {"label": "clicked", "column": "copied", "how": "equal", "rows": 10, "score": 1.0, "text": '"copied" is it'}
REPORT = {
    "id": "a",
    "created_at": "2026-03-10T12:00:00Z",
    "result": "FAIL",
    "summary": "leaking: entropy, copied",
    "rows": 10,
    "of": 100,
    "leaking": ["entropy", "copied"],
    "features": [COLUMN],
    "labels": [LABEL],
    "unmapped": [{"column": "copied", "text": "no feature has this name"}],
    "not_examined": [
        {"what": "hindsight", "source": "clicks", "text": "<clicks> does not say when its events arrived"}
    ],
}


def test_a_report_shows_every_column_and_what_it_does_not_know() -> None:
    report = decode_leaks(REPORT)
    assert not report.passed
    assert report.to_pandas().loc[0, ["column", "leak_rows", "verdict"]].tolist() == ["entropy", 8, "leak"]
    assert report.features[0].examples[0]["keys"] == {"user_id": "1"}
    text = str(report)
    assert text.startswith("leak audit of 10 of 100 rows: FAIL, leaking: entropy, copied\n")
    row = next(line for line in text.splitlines() if line.startswith("entropy "))
    assert row.split() == ["entropy", "10", "2", "8", "?", "0", "2.0", "d", "leak"]
    assert "gives a label away" in text
    assert text.endswith("not examined: hindsight, <clicks> does not say when its events arrived")
    page = report._repr_html_()
    assert "&lt;what&gt;" in page
    assert "<p>not examined: hindsight, &lt;clicks&gt; does not say when its events arrived</p>" in page
    assert '<td style="text-align:left">leak</td>' in page


def test_a_report_draws_what_the_rows_of_columns_rest_on_where_some_differ() -> None:
    page = decode_leaks(REPORT)._repr_html_()
    assert page.count('<img alt="shares of rows that leak, and how far beyond their time they reach" src="data:') == 1
    stale = {**COLUMN, "leak_rows": 0, "stale_rows": 8, "reach_seconds": None, "verdict": "stale"}
    assert "<img" in decode_leaks({**REPORT, "features": [stale]})._repr_html_()
    clean = {**COLUMN, "agree": 10, "leak_rows": 0, "reach_seconds": None, "verdict": "clean"}
    empty = {**clean, "rows": 0, "agree": 0, "verdict": "no data"}
    assert "<img" not in decode_leaks({**REPORT, "features": [clean, empty]})._repr_html_()


def test_a_report_of_an_older_server_says_of_nothing_that_it_was_not_examined() -> None:
    older = {name: value for name, value in REPORT.items() if name != "not_examined"}
    assert decode_leaks(older).not_examined == ()


def test_it_takes_a_frame_with_features_or_a_table(store: ff.Store) -> None:
    with pytest.raises(ff.InvalidArgumentError, match="one of them"):
        store.audit_leaks(make_frame(2), "ranker_v1", table=make_frame(2))
    with pytest.raises(ff.InvalidArgumentError, match="one of them"):
        store.audit_leaks()
    with pytest.raises(ff.InvalidArgumentError, match="say what to audit"):
        store.audit_leaks(make_frame(2))
