"""A stand-in for the real server: it speaks the wire JSON and answers with made-up features.

It proves what the client does with a server's answers, right and wrong; it knows no definitions and joins nothing.
The frame comes back untouched with the features asked for, each `(key * 2)` with nulls where the key is odd.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl
import pyarrow.parquet as pq

from stand_in_answers import CATALOGUE, FEATURES, add_features, answer_schema, empty_batch, make_report

DEFAULTS: dict[str, Any] = {"timestamp": "event_timestamp", "statuses": False, "batch_rows": None}


@dataclass
class Faults:
    """How the next answers go wrong, and what a test wants to know afterwards."""

    drop_rows: int = 0
    drop_report: bool = False
    break_after_batches: int | None = None
    wait_seconds: float = 0.0
    forget_uploads: bool = False
    short_upload: bool = False
    change_schema: bool = False
    change_answer: bool = False
    unknown_total: bool = False
    commands: list[dict[str, Any]] = field(default_factory=list)
    upload_batches: list[int] = field(default_factory=list)
    upload_bytes: list[int] = field(default_factory=list)
    streams: int = 0
    cancelled_queries: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    active: int = 0


class _Trailer(fl.ServerMiddleware):
    error: bytes | None = None

    def sending_headers(self) -> dict[str, Any]:
        return {"featherflight-error-bin": self.error} if self.error is not None else {}


class _Trailers(fl.ServerMiddlewareFactory):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> _Trailer:
        self._faults.authorizations += headers.get("authorization", [])
        return _Trailer()


class StandInServer(fl.FlightServerBase):
    """Listens on a port of its own choice; `faults` decides how it misbehaves."""

    def __init__(self, location: str = "grpc://127.0.0.1:0", **options: Any) -> None:
        self.faults = Faults()
        self._uploads: dict[str, pa.Table] = {}
        self._tickets: dict[str, dict[str, Any]] = {}
        self._cancelled = threading.Event()
        super().__init__(location, middleware={"trailer": _Trailers(self.faults)}, **options)

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.port}"

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        purpose = json.loads(descriptor.command)
        assert purpose["type"] == "upload"
        assert purpose.keys() <= {"type", "features", "service"}
        batches = []
        for chunk in reader:
            self.faults.upload_batches.append(chunk.data.num_rows)
            self.faults.upload_bytes.append(chunk.data.get_total_buffer_size())
            batches.append(chunk.data)
        table = pa.Table.from_batches(batches, reader.schema)
        name = uuid.uuid4().hex
        self._uploads[name] = table
        rows = table.num_rows - 1 if self.faults.short_upload else table.num_rows
        writer.write(json.dumps({"upload": name, "rows": rows, "expires_at": "2026-01-01T00:10:00Z"}).encode())

    def get_flight_info(self, context: Any, descriptor: Any) -> fl.FlightInfo:
        command = DEFAULTS | json.loads(descriptor.command)
        self.faults.commands.append(command)
        table = self._table(context, command)
        names = command["features"] or ["user_profile:age"]
        for name in names:
            if name not in FEATURES:
                _fail(
                    context,
                    "NOT_FOUND",
                    f'unknown feature "{name}"; did you mean "user_profile:age"?',
                    {"name": name, "nearest": "user_profile:age"},
                )
        if command["timestamp"] not in table.schema.names:
            _fail(context, "INVALID_ARGUMENT", f'the frame has no column "{command["timestamp"]}"')
        schema = answer_schema(table.schema, names, command["statuses"])
        if self.faults.change_schema:
            schema = schema.append(pa.field("more", pa.int8()))
        ticket = uuid.uuid4().hex
        self._tickets[ticket] = command | {"features": names, "query": uuid.uuid4().hex}
        total = -1 if self.faults.unknown_total else table.num_rows
        facts = json.dumps({"query": self._tickets[ticket]["query"], "rows": total}).encode()
        return fl.FlightInfo(schema, descriptor, [fl.FlightEndpoint(ticket.encode(), [])], total, -1, False, facts)

    def do_get(self, context: Any, ticket: Any) -> fl.FlightDataStream:
        command = self._tickets[ticket.ticket.decode()]
        if self.faults.forget_uploads:
            self._uploads.clear()
            self.faults.forget_uploads = False
        table = self._table(context, command)
        schema = answer_schema(table.schema, command["features"], command["statuses"])
        if self.faults.change_answer:
            command["features"] = command["features"][:-1]
            schema = answer_schema(table.schema, command["features"], command["statuses"])
        schema = schema.with_metadata({"featherflight.identity": "0123456789abcdef0123"})
        self.faults.streams += 1
        return fl.GeneratorStream(schema, self._answer(context, table, schema, command))

    def do_action(self, context: Any, action: Any) -> list[bytes]:
        body = json.loads(action.body.to_pybytes())
        if action.type == "server_info":
            facts = {"product": "stand-in", "version": "0.0.0", "project": "trial", "registry_version": 3}
            return [json.dumps(facts).encode()]
        if action.type == "list":
            return [json.dumps({"kind": body["kind"], "rows": CATALOGUE[body["kind"]]}).encode()]
        if action.type == "cancel":
            self.faults.cancelled_queries.append(body["query"])
            self._cancelled.set()
            return []
        _fail(context, "UNIMPLEMENTED", f'no action "{action.type}"')
        raise AssertionError

    def _table(self, context: Any, command: dict[str, Any]) -> pa.Table:
        if "path" in command:
            if not Path(command["path"]).exists():
                _fail(context, "NOT_FOUND", f'no file "{command["path"]}"')
            return pq.read_table(command["path"])
        if command["upload"] not in self._uploads:
            _fail(context, "NOT_FOUND", "upload expired", {"upload": command["upload"]})
        return self._uploads[command["upload"]]

    def _answer(self, context: Any, table: pa.Table, schema: pa.Schema, command: dict[str, Any]) -> Iterator[Any]:
        faults = self.faults
        faults.active += 1
        try:
            end = time.monotonic() + faults.wait_seconds
            while time.monotonic() < end and not context.is_cancelled() and not self._cancelled.wait(0.02):
                pass
            batches = table.to_batches(max_chunksize=command["batch_rows"] or 1000)
            batches = [batch for batch in batches if batch.num_rows] or [empty_batch(table.schema)]
            if any(pa.types.is_dictionary(kind) for kind in schema.types):
                # pyarrow's server sends dictionaries only from a nested stream, which can carry no metadata.
                answers = [add_features(batch, schema, command["features"], command["statuses"]) for batch in batches]
                yield fl.RecordBatchStream(pa.Table.from_batches(answers, schema))
                batches = [batches[-1].slice(0, 0)]
            report = json.dumps({"report": make_report(table.num_rows, len(batches), command["features"])}).encode()
            for number, batch in enumerate(batches):
                if number == faults.break_after_batches:
                    raise fl.FlightServerError(
                        "dressed", extra_info=_error("ABORTED", "the source changed while it was read")
                    )
                last = number == len(batches) - 1
                if last and faults.drop_rows:
                    batch = batch.slice(0, batch.num_rows - faults.drop_rows)
                answer = add_features(batch, schema, command["features"], command["statuses"])
                yield (answer, report) if last and not faults.drop_report else answer
                if faults.wait_seconds:
                    time.sleep(faults.wait_seconds / 100)
        finally:
            faults.active -= 1


def _error(code: str, message: str, details: dict[str, Any] | None = None) -> bytes:
    return json.dumps({"code": code, "message": message, "details": details or {}}).encode()


def _fail(context: Any, code: str, message: str, details: dict[str, Any] | None = None) -> None:
    # pyarrow's server writes no trailers of its own: the error goes both ways that it can take.
    error = _error(code, message, details)
    context.get_middleware("trailer").error = error
    raise fl.FlightServerError("dressed", extra_info=error)
