"""The Flight calls the client makes, each with typed errors and nothing known of features."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.flight as fl

from featherflight._address import Tls, parse_url, tls_options
from featherflight._answer_stream import AnswerStream
from featherflight._call_errors import CallHeaders, CallHeadersFactory, error_of_call
from featherflight._connection import Connection
from featherflight.errors import DataLossError, FeatherflightError, InvalidArgumentError

_CANCEL_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class TransportSettings:
    """What a connection is made of: another process makes its own from it."""

    url: str
    token: str | None
    tls: Tls
    timeout: float | None


class Transport:
    """One connection to one server; safe to use from several threads."""

    @classmethod
    def open(cls, settings: TransportSettings) -> Transport:
        """A connection of its own."""
        return cls(settings.url, token=settings.token, tls=settings.tls, timeout=settings.timeout)

    def __init__(self, url: str, *, token: str | None, tls: Tls, timeout: float | None) -> None:
        self.settings = TransportSettings(url, token, tls, timeout)
        self.address, self._location, loopback = parse_url(url)
        self.host = str(urlsplit(self.address).hostname)
        self._timeout = timeout
        self._headers = [(b"authorization", b"Bearer " + token.encode())] if token else []
        self._calls = CallHeadersFactory()
        options: dict[str, Any] = {}
        if loopback:
            # A proxy of the environment never reaches this machine's own loopback address.
            options["generic_options"] = [("grpc.enable_http_proxy", 0)]
        if self._location.startswith("grpc+tls"):
            options.update(tls_options(tls))

        def make() -> fl.FlightClient:
            try:
                return fl.FlightClient(self._location, middleware=[self._calls], **options)
            except pa.ArrowException as raised:
                raise InvalidArgumentError(f"cannot connect to {self.address}: {raised}") from raised

        self._connection = Connection(make)

    def close(self) -> None:
        """Ends the connection; calls after this fail."""
        self._connection.close()

    def action(self, kind: str, body: Mapping[str, Any], *, timeout: float | None = None) -> Any:
        """The JSON answer of a DoAction, None where it answers nothing."""
        action = fl.Action(kind, _encode(body))
        with self._typed(), self._connection.call() as client:
            results = [result.body.to_pybytes() for result in client.do_action(action, self._options(timeout))]
        return json.loads(results[-1]) if results else None

    def plan(self, command: Mapping[str, Any]) -> fl.FlightInfo:
        """GetFlightInfo of a JSON command."""
        descriptor = fl.FlightDescriptor.for_command(_encode(command))
        with self._typed(), self._connection.call() as client:
            return client.get_flight_info(descriptor, self._options())

    def put(
        self,
        command: Mapping[str, Any],
        schema: pa.Schema,
        batches: Iterator[pa.RecordBatch],
        on_rows: Callable[[int], None],
        *,
        compression: str | None = None,
    ) -> dict[str, Any]:
        """DoPut of a schema and its batches; returns the JSON of the one PutResult."""
        with self._connection.call() as client:
            return self._put(client, command, schema, batches, on_rows, compression)

    def _put(
        self,
        client: fl.FlightClient,
        command: Mapping[str, Any],
        schema: pa.Schema,
        batches: Iterator[pa.RecordBatch],
        on_rows: Callable[[int], None],
        compression: str | None,
    ) -> dict[str, Any]:
        descriptor = fl.FlightDescriptor.for_command(_encode(command))
        with self._typed():
            writer: Any
            reader: Any
            writer, reader = client.do_put(descriptor, schema, self._options(compression=compression))
        headers = self._calls.take()
        sent = 0
        try:
            for batch in batches:
                with self._typed(headers):
                    _write(writer, batch)
                sent += batch.num_rows
                on_rows(batch.num_rows)
            with self._typed(headers):
                writer.done_writing()
                answer: pa.Buffer | None = reader.read()
                writer.close()
        except BaseException:
            _close_quietly(writer)
            raise
        if answer is None:
            raise DataLossError("the server did not confirm the upload; try again")
        confirmed: dict[str, Any] = json.loads(answer.to_pybytes())
        if confirmed.get("rows") != sent:
            raise DataLossError(f"the server took {confirmed.get('rows')} of {sent} entity rows; try again")
        return confirmed

    def get(self, ticket: fl.Ticket) -> AnswerStream:
        """DoGet of a ticket, started at once."""
        client = self._connection.begin()
        return AnswerStream(lambda: self._open_reader(client, ticket), self.address, self._connection.end)

    def cancel(self, query: str) -> None:
        """Asks the server to stop a query; what it answers does not matter to one who wants to leave."""
        try:
            self.action("cancel", {"query": query}, timeout=_CANCEL_TIMEOUT_SECONDS)
        except FeatherflightError:
            return

    def _open_reader(
        self, client: fl.FlightClient, ticket: fl.Ticket
    ) -> tuple[fl.FlightStreamReader, CallHeaders | None]:
        with self._typed():
            reader = client.do_get(ticket, self._options())
        return reader, self._calls.take()

    @contextmanager
    def _typed(self, headers: CallHeaders | None = None) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, fl.FlightError) as raised:
            raise error_of_call(raised, headers or self._calls.take(), self.address) from None

    def _options(self, timeout: float | None = None, compression: str | None = None) -> fl.FlightCallOptions:
        options: dict[str, Any] = {"headers": self._headers}
        limit = timeout if timeout is not None else self._timeout
        if limit is not None:
            options["timeout"] = limit
        if compression is not None:
            options["write_options"] = pa.ipc.IpcWriteOptions(compression=cast(Any, compression))
        return fl.FlightCallOptions(**options)


def _write(writer: fl.FlightStreamWriter, batch: pa.RecordBatch) -> None:
    try:
        writer.write_batch(batch)
    except pa.ArrowException:
        # The write only says that the stream broke; closing it says why.
        writer.close()
        raise


def _close_quietly(writer: fl.FlightStreamWriter) -> None:
    try:
        writer.close()
    except (pa.ArrowException, fl.FlightError):
        return


def _encode(command: Mapping[str, Any]) -> bytes:
    return json.dumps(command, ensure_ascii=False, separators=(",", ":")).encode()
