"""Who changed what, as a table."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Any

from featherflight._catalogue import CatalogueTable
from featherflight._long_calls import _instants

if TYPE_CHECKING:
    from featherflight._store import Store

_PAGE = 1000


def audit(
    self: Store,
    *,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    action: str | None = None,
    caller: str | None = None,
    name: str | None = None,
    limit: int | None = 100,
) -> CatalogueTable:
    """Who changed what, the newest first: applies, tokens, erasures, writes, materializations, and what was refused.

    The table shows the columns that say most; `to_pandas` and `to_arrow` have all, `name` being the id of each act.

    Args:
        start: only acts that began from then on: a datetime with a zone, or an ISO instant.
        end: only acts that began before then.
        action: only acts of this kind, such as `"apply"`.
        caller: only acts of this caller: a token's description or id, or a user of the operating system.
        name: only acts on this view, source, service, entity or token.
        limit: most acts; None: all.

    Raises:
        InvalidArgumentError: no such action, or a time that is none.
        PermissionDeniedError: the token has not the scope `admin`, or is for certain views.
    """
    instants = _instants(start=start, end=end)
    asked = {"from": instants["start"], "to": instants["end"], "action": action, "caller": caller, "name": name}
    body = {key: value for key, value in asked.items() if value is not None}
    rows: list[dict[str, Any]] = []
    while limit is None or len(rows) < limit:
        page = self._transport.action(
            "audit", {**body, "limit": _PAGE if limit is None else min(limit - len(rows), _PAGE)}
        )
        rows += [
            {"name": entry["id"], **{key: entry[key] for key in entry if key != "id"}} for entry in page["entries"]
        ]
        for damaged in page["damaged"]:
            text = f"{damaged['file']} of the audit log: {damaged['lines']} lines are damaged, and left out"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        if page["next"] is None:
            break
        body["before"] = page["next"]
    return CatalogueTable("acts", rows)
