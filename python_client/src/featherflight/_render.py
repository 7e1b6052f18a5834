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
    """The columns side by side, long texts cut so that the table fits `width` (default: the terminal's) if it can."""
    if not columns:
        return ""
    width = width if width is not None else shutil.get_terminal_size((120, 24)).columns
    count = len(columns[0].cells)
    shown = min(count, rows)
    cells = [[_one_line(cell) for cell in column.cells[:shown]] for column in columns]
    natural = [max([len(column.title), *map(len, body)]) for column, body in zip(columns, cells, strict=True)]
    widths = _fit(columns, natural, width)
    lines = [_line([column.title for column in columns], columns, widths)]
    lines.append("  ".join("─" * size for size in widths))
    lines += [_line([body[row] for body in cells], columns, widths) for row in range(shown)]
    if shown < count:
        lines.append(f"… {count - shown:,} more rows")
    return "\n".join(lines)


def html_table(columns: Sequence[Column], *, caption: str = "", rows: int = HTML_ROWS) -> str:
    """The columns as one `<table>`; every cell is escaped."""
    count = len(columns[0].cells) if columns else 0
    shown = min(count, rows)
    head = "".join(f'<th style="text-align:{_side(column)}">{html.escape(column.title)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:{_side(column)}">{html.escape(str(column.cells[row]))}</td>' for column in columns
        )
        + "</tr>"
        for row in range(shown)
    )
    more = f"<p>… {count - shown:,} more rows</p>" if shown < count else ""
    title = f'<caption style="text-align:left;caption-side:top">{html.escape(caption)}</caption>' if caption else ""
    return f"<div><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}</div>"


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


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    padded = []
    for cell, column, size in zip(cells, columns, widths, strict=True):
        text = cell if len(cell) <= size else cell[: size - 1] + "…"
        padded.append(text.rjust(size) if column.numeric else text.ljust(size))
    return "  ".join(padded).rstrip()


def _fit(columns: Sequence[Column], widths: list[int], limit: int) -> list[int]:
    fitted = [min(size, _CELL_WIDTH) for size in widths]
    texts = [index for index, column in enumerate(columns) if not column.numeric]
    # The first column names the row, so the others give way before it; a number that is cut would be another number.
    for giving in (texts[1:], texts[:1]):
        while giving and sum(fitted) + 2 * (len(fitted) - 1) > limit:
            widest = max(giving, key=fitted.__getitem__)
            if fitted[widest] <= _CELL_WIDTH_LEAST:
                break
            fitted[widest] -= 1
    return fitted


def _one_line(cell: str) -> str:
    return " ".join(cell.split()) if "\n" in cell else cell


def _side(column: Column) -> str:
    return "right" if column.numeric else "left"
