"""Tables as text for a terminal and as HTML for a notebook."""

from __future__ import annotations

import html
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

TEXT_ROWS = 60
HTML_ROWS = 200
_CELL_WIDTH = 60
_CELL_WIDTH_LEAST = 12


@dataclass(frozen=True)
class Column:
    """A column ready to be shown: its title, its cells as text, and whether they are numbers."""

    title: str
    cells: Sequence[str]
    numeric: bool = False


def text_table(columns: Sequence[Column], *, width: int | None = None, rows: int = TEXT_ROWS) -> str:
    """The columns side by side within `width` (default: the terminal's).

    Where they do not fit, long texts are cut. Where that is not enough, the columns stand in several tables below each
    other, with the first column in each.
    """
    if not columns:
        return ""
    width = width if width is not None else shutil.get_terminal_size((120, 24)).columns
    count = len(columns[0].cells)
    shown = [_Shown(column, [_one_line(cell) for cell in column.cells[:rows]]) for column in columns]
    more = [f"… {count - rows:,} more rows"] if count > rows else []
    return "\n\n".join("\n".join([*_lines(table), *more]) for table in _tables(shown, width))


def html_table(
    columns: Sequence[Column], *, caption: str = "", notes: Sequence[str] = (), rows: int = HTML_ROWS
) -> str:
    """The columns as one `<table>` that scrolls where it is too wide, notes below it; all text is escaped.

    No colour is set, so that it is read on whatever the notebook's theme is.
    """
    count = len(columns[0].cells) if columns else 0
    shown = min(count, rows)
    head = "".join(f'<th style="text-align:{_side(column)}">{html.escape(column.title)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:{_side(column)}{_wrap(column)}">{html.escape(str(column.cells[row]))}</td>'
            for column in columns
        )
        + "</tr>"
        for row in range(shown)
    )
    more = f"<p>… {count - shown:,} more rows</p>" if shown < count else ""
    title = f'<caption style="text-align:left;caption-side:top">{html.escape(caption)}</caption>' if caption else ""
    below = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    table = f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="overflow-x:auto">{table}{more}{below}</div>'


def seconds(value: float) -> str:
    """A time with three significant digits or so: `0.042 s`, `3.1 s`, `2 min 05 s`."""
    if value >= 100:
        return f"{int(value // 60)} min {int(value % 60):02d} s"
    return f"{value:.3f} s" if value < 1 else f"{value:.1f} s"


def megabytes(value: int) -> str:
    """A number of bytes as `kB`, `MB` or `GB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value / 1e3:.1f} kB"


class _Shown:
    """A column on its way to text: the cells that are shown, and how wide they stand."""

    def __init__(self, column: Column, cells: Sequence[str]) -> None:
        self.title = column.title
        self.numeric = column.numeric
        self.cells = cells
        self.width = min(max(map(len, [column.title, *cells])), _CELL_WIDTH)

    def show(self, cell: str) -> str:
        text = cell if len(cell) <= self.width else cell[: self.width - 1] + "…"
        return text.rjust(self.width) if self.numeric else text.ljust(self.width)


def _lines(columns: Sequence[_Shown]) -> list[str]:
    head = [[column.show(column.title) for column in columns], ["─" * column.width for column in columns]]
    body = zip(*([column.show(cell) for cell in column.cells] for column in columns), strict=True)
    return ["  ".join(cells).rstrip() for cells in [*head, *body]]


def _tables(columns: Sequence[_Shown], limit: int) -> list[list[_Shown]]:
    natural = [column.width for column in columns]
    # The first column names the row, and a number that is cut would be another number.
    texts = [column for column in columns[1:] if not column.numeric and column.width > _CELL_WIDTH_LEAST]
    while _width(columns) > limit and texts:
        max(texts, key=lambda column: column.width).width -= 1
        texts = [column for column in texts if column.width > _CELL_WIDTH_LEAST]
    if _width(columns) <= limit:
        return [list(columns)]
    tables = [[columns[0]]]
    for column, width in zip(columns[1:], natural[1:], strict=True):
        column.width = width
        if len(tables[-1]) > 1 and _width([*tables[-1], column]) > limit:
            tables.append([columns[0]])
        tables[-1].append(column)
    return tables


def _width(columns: Sequence[_Shown]) -> int:
    return sum(column.width for column in columns) + 2 * (len(columns) - 1)


def _one_line(cell: str) -> str:
    return " ".join(cell.split()) if "\n" in cell else cell


def _side(column: Column) -> str:
    return "right" if column.numeric else "left"


def _wrap(column: Column) -> str:
    """A number stays in one line, with its unit."""
    return ";white-space:nowrap" if column.numeric else ""
