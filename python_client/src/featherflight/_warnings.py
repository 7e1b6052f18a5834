"""What a server tells readers beside an answer, as Python warnings: once a process and name."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any


class DeprecatedWarning(FutureWarning):
    """A feature service, view or feature that was read is deprecated: since when, why, and what to use."""


_told: set[tuple[str | None, ...]] = set()


def warn_readers(told: Iterable[Mapping[str, Any]]) -> None:
    """Warns of each deprecated service, view and feature that this process was not warned of."""
    for one in told:
        name = tuple(one.get(member) for member in ("feature_service", "feature_view", "feature"))
        if one.get("kind") != "deprecated" or name in _told:
            continue
        _told.add(name)
        warnings.warn(one["message"], DeprecatedWarning, stacklevel=4)
