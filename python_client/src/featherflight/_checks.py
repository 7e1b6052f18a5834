"""What reports of checks have in common: how they show, and how a frame goes with what is asked."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from featherflight._frames import read_frame
from featherflight._historical import upload_frame
from featherflight._render import Column, html_table, text_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from featherflight._frames import EntityFrame
    from featherflight._store import Store


@dataclass(frozen=True)
class CheckedFeature:
    """What a check says of one feature."""

    view: str
    feature: str

    @property
    def name(self) -> str:
        """`view:feature`."""
        return f"{self.view}:{self.feature}"


@dataclass(frozen=True, repr=False)
class CheckReport:
    """What a check found: rendered as a table and a plot, and whole in its fields."""

    id: str
    created_at: str
    result: str
    """`PASS`, `FAIL` or `NO DATA`."""

    @property
    def passed(self) -> bool:
        """Whether the result is PASS."""
        return self.result == "PASS"

    def __str__(self) -> str:
        notes = self._notes()
        return "\n".join([self._headline(), "", text_table(self._columns()), *([""] if notes else []), *notes])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table = html_table(self._page_columns(), caption=self._headline(), notes=self._page_notes())
        return table + self._picture()

    def _headline(self) -> str:
        raise NotImplementedError

    def _columns(self) -> list[Column]:
        raise NotImplementedError

    def _notes(self) -> list[str]:
        raise NotImplementedError

    def _page_columns(self) -> list[Column]:
        """On a page there is room for more."""
        return self._columns()

    def _page_notes(self) -> list[str]:
        return self._notes()

    def _plot(self) -> tuple[Figure, str] | None:
        """A figure and the words for it; None where there is nothing to draw. Called where matplotlib is there."""
        raise NotImplementedError

    def _picture(self) -> str:
        try:
            import matplotlib.figure  # noqa: F401
        except ImportError:
            return ""
        plot = self._plot()
        if plot is None:
            return ""
        figure, words = plot
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=96)
        text = base64.b64encode(image.getvalue()).decode()
        return f'<img alt="{words}" src="data:image/png;base64,{text}">'


def known_fields(of: type[Any], wire: Mapping[str, Any]) -> dict[str, Any]:
    """What a class holds of a JSON object; keys that a newer server adds are left out."""
    names = {field.name for field in fields(of)}
    return {name: value for name, value in wire.items() if name in names}


def send_frame(store: Store, frame: EntityFrame, body: dict[str, Any], progress: bool | None) -> None:
    """Names the frame in a request: by its path on the server, or by what is uploaded for it."""
    read = read_frame(frame)
    if isinstance(read, str):
        body["path"] = read
    else:
        wanted = progress if progress is not None else store._progress
        body["upload"] = upload_frame(store._transport, read, body, wanted)
