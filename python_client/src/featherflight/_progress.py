"""A progress bar: HTML in a notebook, one line on stderr in a terminal, nothing elsewhere."""

from __future__ import annotations

import html
import sys
import time
from types import TracebackType
from typing import Any

from featherflight._render import seconds

_INTERVAL_SECONDS = 0.1
_BAR_WIDTH = 24


class Progress:
    """Counts rows, or what `unit` says, and shows nothing; the base of the bars that do. Use as a context manager."""

    def __init__(self, label: str, total: int | None, *, delay_seconds: float = 0.0, unit: str = "rows") -> None:
        self.label = label
        self.unit = unit
        self.total = total if total is not None and total >= 0 else None
        self.rows = 0
        self.started = time.monotonic()
        self._next_draw = self.started + delay_seconds
        self._drawn = False

    def add(self, rows: int) -> None:
        """Counts `rows` more, and draws if it is time to."""
        self.rows += rows
        self._draw_in_time()

    def move(self, label: str, rows: int, total: int | None) -> None:
        """Says what is done now and how far that is, and draws if it is time to."""
        self.label, self.rows, self.total = label, rows, total
        self._draw_in_time()

    def _draw_in_time(self) -> None:
        now = time.monotonic()
        if now >= self._next_draw:
            self._next_draw = now + _INTERVAL_SECONDS
            self._drawn = True
            self.draw(now - self.started, "running")

    def __enter__(self) -> Progress:
        self.add(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self.draw(time.monotonic() - self.started, "done" if error is None else "stopped")

    def draw(self, elapsed: float, state: str) -> None:
        """Shows the bar; `state` is running, done or stopped."""

    @property
    def share(self) -> float:
        """How much is done, between 0 and 1; 0 while the total is not known."""
        if self.total is None:
            return 0.0
        return min(1.0, self.rows / self.total) if self.total else 1.0

    def caption(self, elapsed: float) -> str:
        """`1,000 of 5,000 rows, 20%, 0.4 s, 2,500 rows/s`."""
        parts = [f"{self.rows:,}" if self.total is None else f"{self.rows:,} of {self.total:,}"]
        parts[0] += f" {self.unit}"
        if self.total:
            parts.append(f"{self.share:.0%}")
        parts.append(seconds(elapsed))
        if self.rows and elapsed > 0:
            parts.append(f"{self.rows / elapsed:,.0f} {self.unit}/s")
        return ", ".join(parts)


class TerminalProgress(Progress):
    """One line on stderr, drawn over itself."""

    _length = 0

    def draw(self, elapsed: float, state: str) -> None:
        """Shows the line, ended with a line feed once nothing more comes."""
        full = round(_BAR_WIDTH * self.share)
        bar = "" if self.total is None else f" [{'█' * full}{'·' * (_BAR_WIDTH - full)}]"
        line = f"{self.label}{bar} {self.caption(elapsed)}" + (" (stopped)" if state == "stopped" else "")
        padding = " " * max(0, self._length - len(line))
        self._length = len(line)
        sys.stderr.write(f"\r{line}{padding}" + ("" if state == "running" else "\n"))
        sys.stderr.flush()


class NotebookProgress(Progress):
    """A bar under the cell, updated in place."""

    _handle: Any = None

    def draw(self, elapsed: float, state: str) -> None:
        """Shows the bar the first time and updates it from then on."""
        import IPython.display

        show: Any = IPython.display

        shown = show.HTML(self.to_html(elapsed, state))
        if self._handle is None:
            self._handle = show.display(shown, display_id=True)
        else:
            self._handle.update(shown)

    def to_html(self, elapsed: float, state: str) -> str:
        """The bar as HTML with its styles inline: no script, no style sheet."""
        color = {"running": "#3b82f6", "done": "#16a34a"}.get(state, "#dc2626")
        width = 100.0 if state == "done" else 100 * self.share
        bar = (
            '<span style="display:inline-block;width:16em;height:.7em;background:#8884;border-radius:.35em;'
            f'overflow:hidden;margin:0 .6em"><span style="display:block;width:{width:.1f}%;height:100%;'
            f'background:{color}"></span></span>'
        )
        note = " (stopped)" if state == "stopped" else ""
        return (
            f'<div style="font-family:monospace">{html.escape(self.label)}{bar}'
            f"{html.escape(self.caption(elapsed))}{note}</div>"
        )


def open_progress(
    show: bool | None, label: str, total: int | None, *, delay_seconds: float = 0.0, unit: str = "rows"
) -> Progress:
    """The bar for where this runs; `show` None decides by itself, False shows none, True also without a TTY."""
    kind = Progress
    if show is not False and _in_notebook():
        kind = NotebookProgress
    elif show or (show is None and sys.stderr is not None and sys.stderr.isatty()):
        kind = TerminalProgress
    return kind(label, total, delay_seconds=delay_seconds, unit=unit)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
