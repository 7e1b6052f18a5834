"""Who read what last, by feature and reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from featherflight._catalogue import CatalogueTable
from featherflight.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from featherflight._store import Store


def usage(self: Store, name: str | None = None) -> CatalogueTable:
    """Who read which feature last, and which feature service: a row for each of them and each of its readers.

    A reader is a token, by its description; what nobody has read has a row without a reader.

    Args:
        name: of a view, a service or `view:feature`; None: everything.

    Raises:
        NotFoundError: there is none of that name; the message names the nearest.
        UnavailableError: the online store, which keeps it, does not answer.
    """
    answers = [self._transport.action("list", {"kind": kind}) for kind in ("features", "feature_services")]
    rows = [row for answer in answers for row in answer["rows"]]
    found = [row for row in rows if name is None or name in (row["name"], row.get("view"))]
    if name is not None and not found:
        names = sorted({str(row[member]) for row in rows for member in ("name", "view") if row.get(member)})
        near = get_close_matches(name, names, 1)
        suggestion = f'; did you mean "{near[0]}"?' if near else ""
        raise NotFoundError(
            f'there is no view, feature or feature service "{name}"{suggestion}', details={"name": name}
        )
    return CatalogueTable("usage", [read for row in found for read in _reads(row)])


def _reads(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    readers = row.get("readers")
    if readers is None:
        raise UnavailableError("who reads what is not known now: the online store, which keeps it, does not answer")
    for reader, at in readers.items() or [(None, None)]:
        yield {"name": row["name"], "reader": reader, "last_read": at}
