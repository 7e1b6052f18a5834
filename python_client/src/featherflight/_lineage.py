"""Lineage: what a name is made of and what is made of it, as text, as a graph and a table, or as a frame."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featherflight._lineage_graph import draw
from featherflight._optional import require
from featherflight._render import Column, html_table

if TYPE_CHECKING:
    import pandas as pd

    from featherflight._store import Store

_WIDTH = 80


@dataclass(frozen=True)
class LineageNode:
    """A table, stream, source, view or service that is applied."""

    id: str
    """`kind/name`."""
    kind: str
    name: str


@dataclass(frozen=True)
class LineageEdge:
    """`to` is made of `from_`, both ids of nodes."""

    from_: str
    to: str
    features: tuple[str, ...] | None = None
    """Which features of a view are read; None where what is read has none."""


@dataclass(frozen=True)
class Lineage:
    """What a source, view, service or feature is made of, and what is made of it."""

    name: str
    of: tuple[str, ...]
    """The ids of what has the name; of `view:feature` that of its view."""
    upstream: tuple[LineageNode, ...]
    """What it is made of, from what is first to what is last."""
    downstream: tuple[LineageNode, ...]
    """What is made of it: what would miss it."""
    edges: tuple[LineageEdge, ...]

    def to_pandas(self) -> pd.DataFrame:
        """An edge a row: `from_kind`, `from_name`, `to_kind`, `to_name`, `features`."""
        require("pandas", "Lineage.to_pandas()")
        import pandas as pd

        rows = [(*_split(edge.from_), *_split(edge.to), edge.features) for edge in self.edges]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=["from_kind", "from_name", "to_kind", "to_name", "features"])
        return frame

    def __str__(self) -> str:
        return "\n\n".join("\n".join(map(_fold, self._block(start))) for start in self.of)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        graph = draw(_nodes(self), [(edge.from_, edge.to, edge.features) for edge in self.edges], self.of)
        columns = [
            Column("from", [_titled(edge.from_) for edge in self.edges]),
            Column("to", [_titled(edge.to) for edge in self.edges]),
            Column("features", [", ".join(edge.features or ()) for edge in self.edges]),
        ]
        if not self.edges:
            return html_table([], caption=f"lineage of {self.name}", notes=["nothing is known above or below it"])
        return graph + html_table(columns, caption=f"lineage of {self.name}")

    def _block(self, start: str) -> Iterator[str]:
        # Of `view:feature` the node is the view.
        yield _titled(start) if _split(start)[1] == self.name else f"feature {self.name}"
        above = list(self._tree(start, self.upstream, up=True))
        below = list(self._tree(start, self.downstream, up=False))
        if above:
            yield from ["  made of", *above]
        yield from ["  read by", *below] if below else ["  read by nothing"]

    def _tree(self, start: str, nodes: Sequence[LineageNode], *, up: bool) -> Iterator[str]:
        known = {node.id for node in nodes}
        shown: set[str] = set()

        def below(near: str) -> list[LineageEdge]:
            return [edge for edge in self.edges if (edge.to if up else edge.from_) == near]

        def visit(near: str, indent: str) -> Iterator[str]:
            for edge in below(near):
                far = edge.from_ if up else edge.to
                if far not in known:
                    continue
                features = "" if edge.features is None else f": {', '.join(edge.features)}"
                again = far in shown
                yield f"{indent}{_titled(far)}{features}{' (as above)' if again and below(far) else ''}"
                shown.add(far)
                if not again:
                    yield from visit(far, f"{indent}  ")

        return visit(start, "    ")


def lineage(self: Store, name: str) -> Lineage:
    """What a name is made of and what is made of it, as it is applied.

    Args:
        name: of a source, view, service, table or stream; `view:feature` follows that feature alone.

    Raises:
        NotFoundError: there is none of that name; the message names the nearest.
    """
    return decode_lineage(self._transport.action("lineage", {"name": name}))


def decode_lineage(wire: Mapping[str, Any]) -> Lineage:
    """Lineage from its JSON; keys that a newer server adds are left out."""
    return Lineage(
        name=str(wire["name"]),
        of=tuple(map(str, wire["of"])),
        upstream=tuple(_node(one) for one in wire["upstream"]),
        downstream=tuple(_node(one) for one in wire["downstream"]),
        edges=tuple(
            LineageEdge(
                from_=str(one["from"]),
                to=str(one["to"]),
                features=tuple(map(str, one["features"])) if one.get("features") is not None else None,
            )
            for one in wire["edges"]
        ),
    )


def _node(wire: Mapping[str, Any]) -> LineageNode:
    return LineageNode(id=str(wire["id"]), kind=str(wire["kind"]), name=str(wire["name"]))


def _nodes(found: Lineage) -> list[tuple[str, str, str]]:
    """Id, kind in words and name, from what is first to what is last."""
    own = [LineageNode(start, *_split(start)) for start in found.of]
    every = {node.id: node for node in [*found.upstream, *own, *found.downstream]}
    return [(node.id, _title(node.kind), node.name) for node in every.values()]


def _fold(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.fill(line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _split(node: str) -> tuple[str, str]:
    kind, _, name = node.partition("/")
    return kind, name


def _titled(node: str) -> str:
    kind, name = _split(node)
    return f"{_title(kind)} {name}"


def _title(kind: str) -> str:
    return "on-demand view" if kind == "on_demand_view" else kind.replace("_", " ")
