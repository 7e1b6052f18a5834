"""Methods of the store whose work takes long: each shows how far the server is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from featherflight._online import encode_columns
from featherflight._progress import Progress, open_progress

if TYPE_CHECKING:
    from featherflight._store import Store


def materialize(
    self: Store,
    views: Sequence[str] | None = None,
    *,
    start: datetime | str,
    end: datetime | str | None = None,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Moves the rows of a range of event timestamps into the online store.

    Args:
        views: names of views; None: all.
        start: only rows from this event timestamp on: a datetime with a zone, or an ISO instant.
        end: only rows up to this event timestamp; None: now.
        progress: False shows no progress bar, True always does; None: as `connect` was told.
    """
    return _materialize(self, views, start, end, progress)


def materialize_incremental(
    self: Store,
    views: Sequence[str] | None = None,
    *,
    end: datetime | str | None = None,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Moves whatever is new into the online store.

    Args:
        views: names of views; None: all.
        end: only rows up to this event timestamp; None: now.
        progress: False shows no progress bar, True always does; None: as `connect` was told.
    """
    return _materialize(self, views, None, end, progress)


def run_sql(
    self: Store,
    source: str,
    *,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    again: bool = False,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Runs ticks of an SQL source, one after another; each is kept when the next begins.

    Args:
        source: the source's name.
        start: ticks from then on: a datetime with a zone, or an ISO instant; None: those after the last that has run.
        end: ticks until then, inclusive; None: now.
        again: also ticks that have run: their rows are replaced whole.
        progress: False shows no progress bar, True always does; None: as `connect` was told.

    Returns:
        How many ticks `of` the range were due, `ran`, were `skipped` as they had run, and are `not_due` yet; the
        `first` and the `last` of them, the `rows` of those that ran, and `seconds`.

    Raises:
        NotFoundError: no such source; the message names the nearest.
        InvalidArgumentError: the source is no SQL source, or the range is none.
        PermissionDeniedError: the token has not the scope `write`, or is not for all views of the source.
    """
    body = {**_instants(start=start, end=end), "again": again}

    def show(bar: Progress, now: Mapping[str, Any]) -> None:
        bar.move(f"{source}, tick {now['tick']}", now["done"], now["of"])

    return run_long(self, f"/api/v1/sql-sources/{quote(source, safe='')}/run", body, progress, (source, "ticks", show))


def replay(
    self: Store,
    source: str,
    *,
    start: datetime | str | None = None,
    end: datetime | str | None = None,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Makes the states of an event source's features anew from history.

    Its stream rests meanwhile, and what is served stays.

    Args:
        source: the source's name.
        start: only keys with an event from then on: a datetime with a zone, or an ISO instant; None: the beginning.
        end: only keys with an event before then; None: now.
        progress: False shows no progress bar, True always does; None: as `connect` was told.

    Returns:
        By view of `views` its `features`, the `events` read and the `keys` written.

    Raises:
        NotFoundError: no such event source; the message names the nearest.
        PermissionDeniedError: the token has not the scope `admin`, or is not for all views of the source.
    """
    instants = _instants(start=start, end=end)
    body = {"from": instants["start"], "to": instants["end"]}
    return run_long(self, _stream_path(source, "replay"), body, progress, (source, "events", _show_filling))


def reset(
    self: Store,
    source: str,
    start: str | Mapping[str, str | int],
    *,
    new_log: bool = False,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Reads the stream of an event source on from elsewhere, and makes all its states anew from history.

    Args:
        source: the source's name.
        start: "earliest", "latest", or by partition an offset: a number, of a Redis stream "ms-seq".
        new_log: the log was made anew: its offsets say nothing of what was read before.
        progress: False shows no progress bar, True always does; None: as `connect` was told.

    Returns:
        `partitions` with where each was read on `before` and is `next`, and `views` as `replay` has them.

    Raises:
        NotFoundError: no such event source; the message names the nearest.
        FailedPreconditionError: the source only takes pushes, or records that count already would be read again.
        PermissionDeniedError: the token has not the scope `admin`, or is not for all views of the source.
    """
    place = start if isinstance(start, str) else {str(name): str(offset) for name, offset in start.items()}
    body = {"from": place, "new_log": new_log}
    return run_long(self, _stream_path(source, "reset"), body, progress, (source, "events", _show_filling))


def _materialize(
    store: Store,
    views: Sequence[str] | None,
    start: datetime | str | None,
    end: datetime | str | None,
    progress: bool | None,
) -> dict[str, Any]:
    body: dict[str, Any] = _instants(start=start, end=end)
    if views is not None:
        body["views"] = [views] if isinstance(views, str) else list(views)

    def show(bar: Progress, now: Mapping[str, Any]) -> None:
        bar.move(str(now["view"]), now["scanned"], now["of"])

    return run_long(store, "/api/v1/materialize", body, progress, ("views", "rows", show))


def _show_filling(bar: Progress, now: Mapping[str, Any]) -> None:
    place = "" if now["of"] == 1 else f" ({now['done'] + 1} of {now['of']})"
    work = {"sorting": "sorting events", "removing": "removing keys without events"}.get(
        now["phase"], f"{now['keys']:,} keys"
    )
    bar.move(f"{now['view']}{place}, {work}:", now["events"], None)


def run_long(
    store: Store,
    path: str,
    body: Mapping[str, Any],
    progress: bool | None,
    shown: tuple[str, str, Any],
) -> dict[str, Any]:
    """Has the server do what takes long; `shown` is the bar's label and unit, and what moves it."""
    label, unit, show = shown
    wanted = progress if progress is not None else store._progress
    with open_progress(wanted, label, None, delay_seconds=0.0 if wanted else 0.5, unit=unit) as bar:
        answer = store._http().post(path, body, timeout=store._timeout, on_progress=lambda now: show(bar, now))
    return dict(answer)


def _instants(**given: datetime | str | None) -> dict[str, Any]:
    return {name: values[0] for name, values in encode_columns({name: [one] for name, one in given.items()}).items()}


def _stream_path(source: str, what: str) -> str:
    return f"/api/v1/streams/{quote(source, safe='')}/{what}"
