"""Lineage as a notebook and a terminal see it, and who read what; the integration tests ask a real server."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

import featherflight as ff
from featherflight._lineage import decode_lineage
from featherflight._lineage_graph import draw
from featherflight._usage import usage


def _node(kind: str, name: str) -> dict[str, Any]:
    return {"id": f"{kind}/{name}", "kind": kind, "name": name, "later": 1}


WIRE: dict[str, Any] = {
    "name": "profile",
    "of": ["feature_view/profile"],
    "upstream": [_node("table", "data/<users>.parquet"), _node("source", "people")],
    "downstream": [
        _node("on_demand_view", "doubled"),
        _node("feature_service", "ranker"),
        _node("dataset", "clicks_may"),
    ],
    "edges": [
        {"from": "table/data/<users>.parquet", "to": "source/people"},
        {"from": "source/people", "to": "feature_view/profile"},
        {"from": "feature_view/profile", "to": "on_demand_view/doubled", "features": ["age"]},
        {"from": "on_demand_view/doubled", "to": "feature_service/ranker", "features": ["times"]},
        {"from": "feature_view/profile", "to": "feature_service/ranker", "features": ["age", "city"]},
        {"from": "feature_service/ranker", "to": "dataset/clicks_may"},
    ],
    "later": 1,
}


def test_a_terminal_reads_it_as_a_tree() -> None:
    assert str(decode_lineage(WIRE)).splitlines() == [
        "feature view profile",
        "  made of",
        "    source people",
        "      table data/<users>.parquet",
        "  read by",
        "    on-demand view doubled: age",
        "      feature service ranker: times",
        "        dataset clicks_may",
        "    feature service ranker: age, city (as above)",
    ]


def test_many_features_are_folded_to_80_columns() -> None:
    features = [f"feature_{at:03d}" for at in range(60)]
    edges = [{"from": "feature_view/profile", "to": "feature_service/ranker", "features": features}]
    lines = str(decode_lineage(WIRE | {"edges": edges})).splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines).count("feature_0") == 60


def test_nobody_reads_it_and_one_feature_alone() -> None:
    alone = decode_lineage(WIRE | {"name": "profile:zip", "downstream": [], "edges": WIRE["edges"][:2]})
    assert str(alone).splitlines()[0] == "feature profile:zip"
    assert str(alone).splitlines()[-1] == "  read by nothing"


def test_a_notebook_sees_a_graph_and_a_table_with_all_text_escaped() -> None:
    lineage = decode_lineage(WIRE)
    page = lineage._repr_html_()
    assert "<users>" not in page
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + len("</svg>")])
    assert len(svg.findall("rect")) + len(svg.findall("g/rect")) == 6
    assert len(svg.findall("path")) == 6
    assert "lineage of profile" in page
    left = {group.findtext("title"): float(group.find("rect").attrib["x"]) for group in svg.findall("g")}  # type: ignore[union-attr]
    names = ["table data/<users>.parquet", "source people", "feature view profile", "on-demand view doubled"]
    order = [left[name] for name in [*names, "feature service ranker", "dataset clicks_may"]]
    assert order == sorted(order)
    assert len(set(order)) == 6


def test_a_line_that_passes_a_node_goes_around_it() -> None:
    page = decode_lineage(WIRE)._repr_html_()
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + len("</svg>")])
    doubled = next(group.find("rect") for group in svg.findall("g") if group.findtext("title", "").endswith("doubled"))
    assert doubled is not None
    top, height = float(doubled.attrib["y"]), float(doubled.attrib["height"])
    (past,) = [path.attrib["d"] for path in svg.findall("path") if path.findtext("title") == "age, city"]
    heights = [float(pair.split()[1]) for pair in re.findall(r"[\d.]+ [\d.]+", past)]
    assert any(not top <= at <= top + height for at in heights)


def test_what_is_too_large_is_a_table_alone() -> None:
    nodes = [(f"source/{at}", "source", str(at)) for at in range(100)]
    assert draw(nodes, [("source/0", "source/1", None)], ["source/0"]) == ""
    empty = decode_lineage(WIRE | {"upstream": [], "downstream": [], "edges": []})
    assert "nothing is known" in empty._repr_html_()


def test_a_frame_has_an_edge_a_row() -> None:
    frame = decode_lineage(WIRE).to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert frame.loc[2].tolist() == ["feature_view", "profile", "on_demand_view", "doubled", ("age",)]


class _Catalogue:
    def __init__(self, readers: object) -> None:
        self._readers = readers
        self._transport = self

    def action(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        assert kind == "list"
        if body["kind"] == "feature_services":
            return {"rows": [{"name": "ranker", "readers": self._readers}]}
        return {"rows": [{"name": "profile:age", "view": "profile", "readers": {}}]}


def test_usage_has_a_row_for_each_reader_and_one_for_what_nobody_reads() -> None:
    store: Any = _Catalogue({"model": "2026-03-10T12:00:00Z", "job": "2026-03-09T12:00:00Z"})
    rows = usage(store)
    assert [(row["name"], row["reader"]) for row in rows] == [
        ("profile:age", None),
        ("ranker", "model"),
        ("ranker", "job"),
    ]
    assert rows["ranker"]["last_read"].isoformat() == "2026-03-10T12:00:00+00:00"
    assert usage(store, "profile").names == ["profile:age"]
    with pytest.raises(ff.NotFoundError, match='did you mean "ranker"'):
        usage(store, "rankers")


def test_usage_that_is_not_known_is_not_taken_for_none() -> None:
    store: Any = _Catalogue(None)
    with pytest.raises(ff.UnavailableError, match="is not known now"):
        usage(store)
