"""A request for historical features as the JSON command that the server reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from datetime import timezone as zone
from typing import Any

from featherflight.errors import InvalidArgumentError


def encode_request(
    features: Sequence[str] | str,
    *,
    full_feature_names: bool,
    statuses: bool,
    as_known: bool | None,
    timestamp: str,
    timezone: str | None,
    at: datetime | str | None,
    keys: Mapping[str, Mapping[str, str]] | None,
    batch_rows: int | None,
    compression: str | None,
) -> dict[str, Any]:
    """The JSON command of a request, without its rows. Raises InvalidArgumentError for what is no request at all."""
    service, names = _service_or_names(features)
    if compression not in (None, "lz4", "zstd"):
        raise InvalidArgumentError(f'compression is "lz4", "zstd" or None, not {compression!r}')
    if batch_rows is not None and batch_rows < 1:
        raise InvalidArgumentError(f"batch_rows is at least 1, not {batch_rows}")
    return {
        "type": "get_historical_features",
        "features": names,
        "service": service,
        "full_feature_names": full_feature_names,
        "statuses": statuses,
        "as_known": as_known,
        "timestamp": timestamp,
        "timezone": timezone,
        "at": _encode_instant(at),
        "keys": {prefix: dict(columns) for prefix, columns in (keys or {}).items()},
        "batch_rows": batch_rows,
        "compression": compression,
    }


def _service_or_names(features: Sequence[str] | str) -> tuple[str | None, list[str] | None]:
    if isinstance(features, str):
        # A service's name has no colon; "view:feature" alone is a list of one.
        return (None, [features]) if ":" in features else (features, None)
    names = list(features)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong or not names:
        raise InvalidArgumentError(
            'features is a list such as ["view:feature"] or the name of a feature service'
            + (f", not a list with {wrong[0]!r}" if wrong else ", not an empty list")
        )
    return None, names


def _encode_instant(at: datetime | str | None) -> str | None:
    if at is None or isinstance(at, str):
        return at
    if not isinstance(at, datetime):
        raise InvalidArgumentError(f'at is a datetime with a zone, an ISO instant or "now", not a {type(at).__name__}')
    if at.tzinfo is None:
        raise InvalidArgumentError(
            f"at={at.isoformat()} has no zone; name one, for example at=datetime({at.year}, {at.month}, {at.day}, "
            "tzinfo=timezone.utc)"
        )
    utc = at.astimezone(zone.utc)
    return (
        f"{utc.year:04d}-{utc.month:02d}-{utc.day:02d}T"
        f"{utc.hour:02d}:{utc.minute:02d}:{utc.second:02d}.{utc.microsecond:06d}Z"
    )
