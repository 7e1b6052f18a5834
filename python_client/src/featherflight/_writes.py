"""Methods of the store that write: rows and events, and what is erased."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from featherflight._online import encode_columns, encode_frame

if TYPE_CHECKING:
    from featherflight._frames import EntityFrame
    from featherflight._store import Store


def push(
    self: Store,
    source: str,
    rows: EntityFrame | Mapping[str, Sequence[Any]],
    *,
    to: str = "online_and_offline",
    idempotency_key: str | None = None,
) -> dict[str, Any]:
    """Pushes events, or rows of a batch source with `push: true`; they are on the server's disk when this returns.

    Args:
        source: the source's name.
        rows: a frame, or a dict of lists, with the source's columns.
        to: "online", "offline" or "online_and_offline"; events always count in both.
        idempotency_key: the same for every try of one push, which then counts once; None: a new one.

    Returns:
        `rows`, and of events whether they were `appended` now: False where an earlier try has brought them. Of
        rows whether they were `archived` now, and how many were `written`, `unchanged` and `erased` online.
    """
    body = {
        "source": source,
        "rows": encode_frame(rows),
        "to": to,
        "idempotency_key": idempotency_key or uuid.uuid4().hex,
    }
    return dict(self._http().post("/api/v1/push", body, timeout=self._timeout))


def write_to_online_store(self: Store, view: str, rows: EntityFrame | Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Writes rows of a view to the online store alone: they are served at once, and training sets do not see them.

    Of each key the greatest event timestamp wins, then the greatest created timestamp, in any order of arrival, so
    that writing rows again changes nothing of what is served.

    Args:
        view: the name of a feature view that is computed from a source.
        rows: a frame, or a dict of lists, with a column for each join key and each feature of the view, of the
            view's types, and the timestamps, with a zone and to the microsecond: `event_timestamp` always,
            `created_timestamp` and `available_at` where the source has such columns, each of which is the moment
            of the write where it is left out. The names that the source has for them are taken as well.

    Returns:
        How many `rows` there were, and of these how many were `written`, were `unchanged` (the store has them, or
        newer ones) and belong to `erased` entities.

    Raises:
        NotFoundError: no such view; the message names the nearest.
        InvalidArgumentError: a column is missing, is none of the view's, or has a value that is not of its type;
            the message names column and row, and nothing was written.
        OutOfRangeError: more rows than one request may have: write them in parts.
        PermissionDeniedError: the token has not the scope `write`, or is not for this view.
        UnavailableError: the server, or its online store, is away; part of the rows may be written.
    """
    body = {"view": view, "rows": encode_frame(rows)}
    return dict(self._http().post("/api/v1/write-to-online-store", body, timeout=self._timeout))


def erase(self: Store, entity: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Removes an entity from the online store and from what was pushed, until that is lifted.

    Args:
        entity: the entity's name.
        keys: its join keys and their values.

    Returns:
        What was removed, and under `foreign` the tables that may hold the entity and were not changed.
    """
    return dict(self._transport.action("erase", _erasure(entity, keys)))


def lift_erasure(self: Store, entity: str, keys: Mapping[str, Any]) -> bool:
    """Takes an erasure back, if there was one: rows are taken again, and what was removed stays away."""
    return bool(self._transport.action("lift_erasure", _erasure(entity, keys))["lifted"])


def erasures(self: Store) -> list[dict[str, Any]]:
    """All that is erased, the oldest first."""
    return list(self._transport.action("list_erasures", {})["erasures"])


def _erasure(entity: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    columns = encode_columns({name: [value] for name, value in keys.items()})
    return {"entity": entity, "keys": {name: values[0] for name, values in columns.items()}}
