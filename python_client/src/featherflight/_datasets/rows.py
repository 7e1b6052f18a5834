"""Rows of a dataset as record batches at known positions, over as many calls as it takes."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from featherflight._answer_stream import AnswerStream
from featherflight._transport import Transport, TransportSettings
from featherflight.errors import (
    AbortedError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    FeatherflightError,
    UnavailableError,
)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class RowRange:
    """Batches of `batch_rows` positions at start, start + step, … before `end`."""

    start: int
    end: int
    step: int
    batch_rows: int

    def rows_at(self, position: int) -> int:
        """The rows of the batch at a position."""
        return min(self.batch_rows, self.end - position)


@dataclass(frozen=True)
class RowSource:
    """Where rows come from and which: what a worker process needs to open them by itself."""

    settings: TransportSettings
    id: str
    """The dataset's identity: under its name there may be other rows one day."""
    command: Mapping[str, Any]
    """`get_dataset` without a range."""
    retry_seconds: float

    def read(self, wanted: RowRange) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The batches of a range, each with its position; every row once, whatever breaks on the way.

        Where the server goes away, the call is made again for what is missing, until nothing came for `retry_seconds`.

        Raises:
            UnavailableError: the server is away for longer than that.
            DataLossError: an answer that ends early, or has other rows than asked for.
        """
        at = wanted.start
        pause, failing_since = _FIRST_PAUSE_SECONDS, None
        while at < wanted.end:
            try:
                for position, batch in self._call(replace(wanted, start=at)):
                    at = position + wanted.step
                    pause, failing_since = _FIRST_PAUSE_SECONDS, None
                    yield position, batch
            except (UnavailableError, AbortedError, DeadlineExceededError):
                failing_since = failing_since if failing_since is not None else time.monotonic()
                if time.monotonic() - failing_since + pause > self.retry_seconds:
                    raise
                time.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _call(self, wanted: RowRange) -> Iterator[tuple[int, pa.RecordBatch]]:
        transport = Transport.open(self.settings)
        stream: AnswerStream | None = None
        try:
            info = transport.plan(
                {
                    **self.command,
                    "start": wanted.start,
                    "end": wanted.end,
                    "step": wanted.step,
                    "batch_rows": wanted.batch_rows,
                }
            )
            if json.loads(info.app_metadata)["id"] != self.id:
                raise FailedPreconditionError(
                    f"{self.command['dataset']} is not the dataset any more that it was; ask for it again",
                    details={"dataset": self.command["dataset"], "id": self.id},
                )
            stream = transport.get(info.endpoints[0].ticket)
            at = wanted.start
            for chunk in stream:
                if chunk.batch is None:
                    continue
                position = json.loads(chunk.metadata or b"{}").get("position")
                if position != at or chunk.batch.num_rows != wanted.rows_at(at):
                    raise DataLossError(
                        f"the server sent {chunk.batch.num_rows} rows at position {position} where "
                        f"{wanted.rows_at(at)} at {at} were asked for"
                    )
                at += wanted.step
                yield position, chunk.batch
            if at < wanted.end:
                raise DataLossError(f"the rows end before position {at}, and {wanted.end} were asked for; try again")
        finally:
            if stream is not None:
                _stop_quietly(stream)
            transport.close()


def _stop_quietly(stream: AnswerStream) -> None:
    try:
        stream.stop()
    except FeatherflightError:
        return
