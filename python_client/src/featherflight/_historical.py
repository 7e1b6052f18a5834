"""The job that reads a training set: sends the rows, checks the answer, hands it out in every shape."""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.flight as fl

from featherflight._answer_stream import AnswerStream
from featherflight._frames import BATCH_ROWS, Frame, PandasFrame, PolarsFrame
from featherflight._optional import require
from featherflight._progress import open_progress
from featherflight._render import Column, html_table, text_table
from featherflight._report import JobReport, decode_report
from featherflight._transport import Transport
from featherflight._warnings import warn_readers
from featherflight.errors import (
    CancelledError,
    DataLossError,
    FailedPreconditionError,
    NotFoundError,
)

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_ROW_GROUP_BATCHES = 8
_CHANGED = (
    "the definitions changed since this job was made, and its answer would have other columns; "
    "call get_historical_features again"
)


class HistoricalJob:
    """A training set that the server is ready to stream.

    The first of `to_pandas`, `to_polars` and `to_arrow` streams it once, and the table is kept for the others;
    `to_batches` and `to_parquet` stream without keeping it. Every answer is complete: one that ends early raises
    DataLossError.
    """

    def __init__(
        self, transport: Transport, command: Mapping[str, Any], frame: Frame | str, *, progress: bool | None
    ) -> None:
        self._transport = transport
        self._command = dict(command)
        self._frame = frame
        self._show = progress
        self._reading = threading.Lock()
        self._streams: set[AnswerStream] = set()
        self._cancelled = False
        self._table: pa.Table | None = None
        self._report: JobReport | None = None
        self._plan = _Plan(self._send())
        warn_readers(self.warnings)

    @property
    def schema(self) -> pa.Schema:
        """The answer's columns: the frame's own, then the features in the order asked for."""
        return self._plan.schema

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """What of it is deprecated, each with a `message`; a process is warned of each once, by DeprecatedWarning."""
        written = (self.schema.metadata or {}).get(b"featherflight.warnings", b"[]")
        return cast("list[dict[str, Any]]", json.loads(written))

    @property
    def rows(self) -> int | None:
        """The rows of the answer, as many as the frame has; None where the server does not know before the end."""
        return self._plan.rows

    @property
    def report(self) -> JobReport:
        """Rows, times, bytes and counts per feature. Raises FailedPreconditionError before an answer was read whole."""
        if self._report is None:
            raise FailedPreconditionError(
                "the report comes with the last row: read the answer first, with to_pandas() for example"
            )
        return self._report

    def to_arrow(self) -> pa.Table:
        """The answer as an Arrow table."""
        with self._reading:
            if self._table is None:
                # The batches' schema may say more than the plan's: the identity, once it is known.
                self._table = pa.Table.from_batches(list(self._stream(self._show)))
            return self._table

    def to_pandas(self) -> pd.DataFrame:
        """The answer as a pandas DataFrame.

        A pandas frame's index, labels and dtypes come back as they were. Integers and booleans with nulls are
        `Int64` and `boolean` (and their like), those without are NumPy's.
        """
        require("pandas", "to_pandas()")
        from featherflight._to_pandas import table_to_pandas

        return table_to_pandas(self.to_arrow(), self._frame.own if isinstance(self._frame, PandasFrame) else None)

    def to_df(self) -> pd.DataFrame:
        """The same as `to_pandas()`."""
        return self.to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """The answer as a Polars DataFrame; a Polars frame's own columns keep their types."""
        require("polars", "to_polars()")
        from featherflight._to_polars import table_to_polars

        return table_to_polars(self.to_arrow(), self._frame.own if isinstance(self._frame, PolarsFrame) else None)

    def to_batches(self) -> pa.RecordBatchReader:
        """The answer batch by batch, from a new stream each time; nothing is kept.

        The stream starts with the first batch that is read, and reading past the last one checks that all came. To
        leave before, call `cancel()` of this job, or drop the last reference to the reader: either stops the query on
        the server. The reader's own `close()`, and the end of a `with` block, do not: pyarrow tells nobody of them.
        """
        return pa.RecordBatchReader.from_batches(self.schema, self._stream(show=bool(self._show)))

    def to_parquet(self, path: str | os.PathLike[str], *, compression: str = "zstd") -> None:
        """Writes the answer to a Parquet file, batch by batch; the file appears when it is complete."""
        import pyarrow.parquet as pq

        target = Path(path)
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        batches = iter(self._table.to_batches()) if self._table is not None else self._stream(self._show)
        try:
            first = next(batches)
            with pq.ParquetWriter(partial, first.schema, compression=cast(Any, compression)) as writer:
                for group in _grouped(itertools.chain([first], batches)):
                    writer.write_table(group, row_group_size=max(1, group.num_rows))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def cancel(self) -> None:
        """Stops what is being read, here and on the server; whoever reads gets CancelledError. A kept answer stays."""
        self._cancelled = True
        for stream in list(self._streams):
            stream.stop()
        self._transport.cancel(self._plan.query)

    def __repr__(self) -> str:
        return f"{self._headline()}\n\n{text_table(self._columns())}"

    def _repr_html_(self) -> str:
        return html_table(self._columns(), caption=self._headline())

    def _headline(self) -> str:
        rows = "rows not counted yet" if self.rows is None else f"{self.rows:,} rows"
        state = "cancelled" if self._cancelled else "read" if self._report is not None else "ready to be read"
        return f"training set of {rows} and {len(self.schema)} columns, {state}"

    def _columns(self) -> list[Column]:
        return [
            Column("column", self.schema.names),
            Column("type", [str(kind) for kind in self.schema.types]),
        ]

    def _send(self) -> fl.FlightInfo:
        if isinstance(self._frame, str):
            return self._transport.plan(self._command | {"path": self._frame})
        upload = upload_frame(self._transport, self._frame, self._command, self._show)
        return self._transport.plan(self._command | {"upload": upload})

    def _send_again(self) -> None:
        plan = _Plan(self._send())
        if not plan.schema.equals(self._plan.schema):
            raise FailedPreconditionError(_CHANGED)
        self._plan = plan

    def _stream(self, show: bool | None) -> Iterator[pa.RecordBatch]:
        with open_progress(show, "features", self._plan.rows) as bar:
            yield from self._whole(bar.add)

    def _whole(self, on_rows: Callable[[int], None]) -> Iterator[pa.RecordBatch]:
        rows = batches = 0
        report: JobReport | None = None
        for batch, metadata in self._messages():
            if batch is not None and not batch.schema.equals(self.schema):
                raise FailedPreconditionError(_CHANGED)
            if metadata is not None:
                report = _read_report(metadata) or report
            if batch is not None:
                rows += batch.num_rows
                batches += 1
                on_rows(batch.num_rows)
                yield batch
        _check_whole(rows, self._plan.rows, report)
        self._report = report
        if batches == 0:
            yield pa.RecordBatch.from_pylist([], schema=self.schema)

    def _messages(self) -> Iterator[tuple[pa.RecordBatch | None, bytes | None]]:
        begun = False
        try:
            for message in self._read_once():
                begun = True
                yield message
        except NotFoundError as error:
            if begun or not self._upload_is_gone(error):
                raise
            self._send_again()
            yield from self._read_once()

    def _read_once(self) -> Iterator[tuple[pa.RecordBatch | None, bytes | None]]:
        if self._cancelled:
            raise CancelledError("the job was cancelled; call get_historical_features again")
        stream = self._transport.get(self._plan.ticket)
        self._streams.add(stream)
        complete = False
        try:
            for chunk in stream:
                yield chunk.batch, chunk.metadata
            complete = True
        except BaseException as error:
            # A call that failed by itself is over on the server; one that is left has to be stopped there.
            complete = isinstance(error, Exception)
            raise
        finally:
            self._streams.discard(stream)
            if not complete and not stream.stop():
                self._transport.cancel(self._plan.query)

    def _upload_is_gone(self, error: NotFoundError) -> bool:
        if isinstance(self._frame, str) or error.details.get("upload") is None:
            return False
        if not self._frame.repeatable:
            raise NotFoundError(
                "the uploaded entity rows expired on the server, and they came from a stream that can be read only "
                "once; call get_historical_features again with a new one",
                details=error.details,
            ) from error
        return True


class _Plan:
    """What GetFlightInfo answered: schema, ticket, number of rows, the query's name."""

    def __init__(self, info: fl.FlightInfo) -> None:
        facts = json.loads(info.app_metadata) if info.app_metadata else {}
        if len(info.endpoints) != 1:
            raise DataLossError(f"the server offers {len(info.endpoints)} endpoints where this client expects one")
        self.schema: pa.Schema = info.schema
        self.ticket: fl.Ticket = info.endpoints[0].ticket
        self.rows: int | None = info.total_records if info.total_records >= 0 else None
        self.query = str(facts.get("query", ""))


def upload_frame(transport: Transport, frame: Frame, command: Mapping[str, Any], show: bool | None) -> str:
    """Sends a frame to be named by the id that the server gives it."""
    # The server reads the sources of what the frame is for while the frame is on its way.
    purpose = {"type": "upload", "features": command.get("features"), "service": command.get("service")}
    small = frame.rows is not None and frame.rows <= BATCH_ROWS
    with open_progress(False if small else show, "entity rows", frame.rows, delay_seconds=0.5) as bar:
        confirmed = transport.put(
            purpose, frame.schema, frame.batches(), bar.add, compression=command.get("compression")
        )
    return str(confirmed["upload"])


def _read_report(metadata: bytes) -> JobReport | None:
    facts = json.loads(metadata)
    return decode_report(facts["report"]) if "report" in facts else None


def _check_whole(rows: int, announced: int | None, report: JobReport | None) -> None:
    expected = announced if announced is not None else report.rows if report is not None else None
    if report is not None and rows == expected and rows == report.rows:
        return
    missing = "" if report is not None else ", and the server's final report is missing"
    count = f"{rows:,} rows" if expected is None else f"{rows:,} of {expected:,} rows"
    raise DataLossError(
        f"the answer is not whole: {count} came{missing}; run it again",
        details={"rows": rows, "announced": announced, "report": report is not None},
    )


def _grouped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == _ROW_GROUP_BATCHES:
            yield pa.Table.from_batches(group)
            group = []
    if group:
        yield pa.Table.from_batches(group)
