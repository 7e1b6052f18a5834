from __future__ import annotations

from datetime import datetime, timezone

import pandas as pd
import pyarrow as pa
import pytest

import featherflight as ff
from featherflight._catalogue import CatalogueTable


def test_every_kind_lists(store: ff.Store) -> None:
    for table in (store.entities(), store.sources(), store.feature_views(), store.feature_services(), store.features()):
        assert isinstance(table, ff.CatalogueTable)
        assert table.to_arrow().num_rows == len(table) == len(table.to_pandas()) == len(list(table))


def test_text_shows_what_is_filled(store: ff.Store) -> None:
    text = str(store.entities())
    assert text.splitlines()[0].split() == ["name", "join", "keys", "description"]
    assert "user_id: int64" in text
    assert str(store.sources()) == "no sources yet"


def test_names_stay_whole_in_a_narrow_terminal(store: ff.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = str(store.features()).splitlines()
    assert lines[0].split()[:2] == ["name", "type"]
    assert [line.split()[0] for line in lines[2:]] == store.features().names
    assert max(map(len, lines)) <= 60


def test_columns_that_do_not_fit_stand_below_under_the_same_names(
    store: ff.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    tables = [table.splitlines() for table in str(store.feature_views()).split("\n\n")]
    assert len(tables) > 2
    assert [line.split()[0] for table in tables for line in (table[0], table[2])] == ["name", "user_profile"] * len(
        tables
    )
    assert "newest event" in str(store.feature_views())


def test_html_escapes(store: ff.Store) -> None:
    page = store.entities()._repr_html_()
    assert "a &lt;b&gt;person&lt;/b&gt;" in page
    assert "<b>" not in page
    assert store.sources()._repr_html_() == "<p>no sources yet</p>"


def test_rows_by_name_and_position(store: ff.Store) -> None:
    views = store.feature_views()
    assert views["user_profile"]["owner"] == "growth"
    assert views[0]["newest_event"] == datetime(2026, 3, 10, 12, 0, 0, 1, tzinfo=timezone.utc)
    assert [views[0]["freshness"], views[0]["freshness_state"]] == ["24h", "NEVER"]
    assert [views[0]["event_age_seconds"], views[0]["processing_age_seconds"]] == [3600.5, None]
    assert "user_profile" in views
    assert views.names == ["user_profile"]
    with pytest.raises(ff.NotFoundError, match='did you mean "user_profile"'):
        views["user_profil"]
    with pytest.raises(ff.NotFoundError, match="there are user_profile"):
        views["other"]


def test_to_arrow_and_to_pandas_keep_types(store: ff.Store) -> None:
    table = store.feature_views().to_arrow()
    assert table.schema.field("newest_event").type == pa.timestamp("us", "UTC")
    assert table.schema.field("processing_age_seconds").type == pa.float64()
    assert table.schema.field("tags").type == pa.map_(pa.string(), pa.string())
    assert table.column("features")[0].as_py()[0] == "age"
    frame = store.features().to_pandas()
    assert frame["newest_event"].dtype == pd.DatetimeTZDtype("us", "UTC")
    assert frame["default"][0] == -1
    assert store.features().to_arrow().column("default")[0].as_py() == "-1"
    empty = store.sources()
    assert empty.to_arrow().schema.names[0] == "name"
    assert list(empty.to_pandas().columns)[:2] == ["name", "kind"]


def test_a_column_of_a_newer_server_is_kept() -> None:
    table = CatalogueTable("entities", [{"name": "user", "color": {"r": 1}}, {"name": "item"}])
    assert table.to_arrow().column("color").to_pylist() == ['{"r": 1}', None]
    assert "color" in str(table)


def test_long_tables_are_cut_when_shown_only() -> None:
    table = CatalogueTable("entities", [{"name": f"e{i}", "description": "x" * 500} for i in range(300)])
    text = str(table)
    assert "240 more rows" in text
    assert max(map(len, text.splitlines())) <= 120
    assert "100 more rows" in table._repr_html_()
    assert table.to_arrow().num_rows == 300
