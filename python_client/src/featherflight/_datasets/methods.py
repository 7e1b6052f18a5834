"""Methods of the store that make and find datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from featherflight._checks import send_frame
from featherflight._datasets.dataset import Dataset
from featherflight._long_calls import run_long
from featherflight._progress import Progress
from featherflight._request import encode_request

if TYPE_CHECKING:
    from featherflight._catalogue import CatalogueTable
    from featherflight._frames import EntityFrame
    from featherflight._store import Store


def create_dataset(
    self: Store,
    name: str,
    entity_df: EntityFrame,
    features: Sequence[str] | str,
    *,
    labels: Sequence[str] = (),
    split: Mapping[str, Any] | None = None,
    expectations: Mapping[str, Mapping[str, Any]] | None = None,
    description: str | None = None,
    force_new: bool = False,
    full_feature_names: bool = False,
    statuses: bool = False,
    as_known: bool | None = None,
    timestamp: str = "event_timestamp",
    timezone: str | None = None,
    at: datetime | str | None = None,
    keys: Mapping[str, Mapping[str, str]] | None = None,
    progress: bool | None = None,
) -> Dataset:
    """Computes a training set once and saves it as the next version of `name`.

    Where the newest version has the same identity, that is what comes back, and nothing is written.

    Args:
        name: of the dataset; versions are counted from 1.
        entity_df: rows as `get_historical_features` takes them.
        features: `["view:feature", …]`, or the name of a feature service.
        labels: columns of `entity_df` that are to be predicted.
        split: `{"random": {"parts": {"train": 0.8, "test": 0.2}, "seed": 0}}`,
            `{"entity": {"keys": ["user_id"], "parts": {…}}}` with all rows of a key in one part, or
            `{"time": {"boundaries": [{"name": "train", "until": "2026-03-01T00:00:00Z"}, {"name": "test"}]}}`.
        expectations: column -> `min`, `max`, `max_null_rate`, `values`, `unique` and `on_failure` ("fail" or "warn");
            they stand before those of the definitions.
        description: for people.
        force_new: make a version even where the newest is the same.
        full_feature_names, statuses, as_known, timestamp, timezone, at, keys: as of `get_historical_features`.
        progress: False shows no progress bar, True always does; None: as `connect` was told.

    Raises:
        InvalidArgumentError: a name, key, type, time or split is wrong; the message says how.
        NotFoundError: no such view, feature, service or file.
        FailedPreconditionError: an expectation is not met; nothing is saved.
        ResourceExhaustedError: the disk is full; nothing is saved.
    """
    command = encode_request(
        features,
        full_feature_names=full_feature_names,
        statuses=statuses,
        as_known=as_known,
        timestamp=timestamp,
        timezone=timezone,
        at=at,
        keys=keys,
        batch_rows=None,
        compression=None,
    )
    body = {key: value for key, value in command.items() if value is not None and key != "type"}
    body |= {"name": name, "labels": list(labels), "description": description, "force_new": force_new}
    if split is not None:
        body["split"] = dict(split)
    if expectations is not None:
        body["expectations"] = {column: dict(wanted) for column, wanted in expectations.items()}
    send_frame(self, entity_df, body, progress)

    def show(bar: Progress, now: Mapping[str, Any]) -> None:
        bar.move(f"dataset {name}, {now.get('step', 'rows')}", now.get("done", 0), now.get("of"))

    return Dataset(self, run_long(self, "/api/v1/datasets", body, progress, (f"dataset {name}", "rows", show)))


def dataset(self: Store, reference: str) -> Dataset:
    """A saved dataset: `"ranker@3"`, or `"ranker"` for its newest version.

    Raises:
        NotFoundError: no such dataset or version; the message names the nearest, and the versions that there are.
    """
    return Dataset(self, self._transport.action("describe_dataset", {"dataset": reference}))


def datasets(self: Store) -> CatalogueTable:
    """The saved datasets, each with its newest version: rows, splits, features, labels, models trained on it."""
    return self._list("datasets")
