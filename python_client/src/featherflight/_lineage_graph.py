"""A small graph as SVG: nodes in columns, each to the right of all that it is made of."""

from __future__ import annotations

import html
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_ROW = 56
_HEIGHT = 40
_GAP = 56
_LETTER = 7.3
_LONGEST = 32
_MOST = 80

# Id, kind, name; and from, to, features.
Node = tuple[str, str, str]
Edge = tuple[str, str, "tuple[str, ...] | None"]


def draw(nodes: Sequence[Node], edges: Sequence[Edge], of: Sequence[str]) -> str:
    """The graph, with the nodes `of` framed twice as strong; nothing where it would be too large to read.

    Lines have the colour of the notebook's text, so that they are read on whatever its theme is.
    """
    if not edges or len(nodes) > _MOST:
        return ""
    depth = _depths(nodes, edges)
    ways = [_way(depth, start, end) for start, end, _ in edges]
    columns = _columns(depth, nodes, ways)
    named = {node[0]: node for node in nodes}
    places: dict[str, _Place] = {}
    left = 1.0
    tallest = max(map(len, columns))
    for column in columns:
        width = max(_width(named[place]) for place in column if place in named)
        top = (tallest - len(column)) * _ROW / 2 + 1
        places |= {place: _Place(left, top + at * _ROW, width) for at, place in enumerate(column)}
        left += width + _GAP
    lines = "".join(_line([places[place] for place in way], edge) for way, edge in zip(ways, edges, strict=True))
    boxes = "".join(_box(places[node[0]], node, node[0] in of) for node in nodes)
    size = f'width="{left - _GAP + 1:.0f}" height="{tallest * _ROW - _ROW + _HEIGHT + 2}"'
    style = 'style="font:12px ui-monospace,monospace" fill="currentColor" stroke="none" role="img"'
    told = "".join(f"{html.escape(start)} feeds {html.escape(end)}. " for start, end, _ in edges)
    svg = f"<svg {size} {style}><title>{told.strip()}</title>{lines}{boxes}</svg>"
    return f'<div style="overflow-x:auto;margin-bottom:8px">{svg}</div>'


class _Place(NamedTuple):
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.y + _HEIGHT / 2


def _depths(nodes: Sequence[Node], edges: Sequence[Edge]) -> dict[str, int]:
    """By the longest way to each."""
    depth = {node: 0 for node, _, _ in nodes}
    for _ in nodes:  # without circles all is settled after that many rounds
        for start, end, _ in edges:
            depth[end] = max(depth[end], depth[start] + 1)
    return depth


def _way(depth: Mapping[str, int], start: str, end: str) -> list[str]:
    """The places that a line takes: one in each column between its ends, so that it crosses no node."""
    return [start, *(f"{start} {end} {level}" for level in range(depth[start] + 1, depth[end])), end]


def _columns(depth: Mapping[str, int], nodes: Sequence[Node], ways: Sequence[Sequence[str]]) -> list[list[str]]:
    """Nodes and lines that pass them, each near what is to its left."""
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for node, _, _ in nodes:
        columns[depth[node]].append(node)
    for way in ways:
        for level, place in enumerate(way[1:-1], start=depth[way[0]] + 1):
            columns[level].append(place)
    before: dict[str, list[str]] = {}
    for way in ways:
        for left, right in itertools.pairwise(way):
            before.setdefault(right, []).append(left)
    row: dict[str, float] = {}
    for column in columns:
        column.sort(key=lambda place: _mean([row[left] for left in before.get(place, [])]))
        row |= {place: at - (len(column) - 1) / 2 for at, place in enumerate(column)}
    return columns


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _line(way: Sequence[_Place], edge: Edge) -> str:
    path = f"M{way[0].x + way[0].width:.0f} {way[0].middle:.0f}"
    for left, right in itertools.pairwise(way):
        x1, x2 = left.x + left.width, right.x
        half = (x1 + x2) / 2
        path += f"H{x1:.0f}C{half:.0f} {left.middle:.0f} {half:.0f} {right.middle:.0f} {x2:.0f} {right.middle:.0f}"
    features = edge[2]
    told = "" if features is None else f"<title>{html.escape(', '.join(features))}</title>"
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity="0.45">{told}</path>'


def _box(place: _Place, node: Node, strong: bool) -> str:
    x, y, width = place
    _, kind, name = node
    frame = f'fill="none" stroke="currentColor" stroke-width="{2 if strong else 1}"'
    return (
        f"<g><title>{html.escape(f'{kind} {name}')}</title>"
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{_HEIGHT}" rx="6" {frame}/>'
        f'<text x="{x + 9:.0f}" y="{y + 15:.0f}" font-size="10" fill-opacity="0.7">{html.escape(kind)}</text>'
        f'<text x="{x + 9:.0f}" y="{y + 31:.0f}">{html.escape(_short(name))}</text></g>'
    )


def _width(node: Node) -> float:
    _, kind, name = node
    return max(len(_short(name)) * _LETTER, len(kind) * 6.2) + 18


def _short(name: str) -> str:
    """The end of a path says more than its beginning."""
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"
