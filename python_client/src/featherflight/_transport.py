"""The Flight calls the client makes, each with typed errors and nothing known of features."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.flight as fl

from featherflight._call_errors import CallHeaders, CallHeadersFactory, error_of_call
from featherflight.errors import CancelledError, DataLossError, FeatherflightError, InvalidArgumentError

DEFAULT_URL = "grpc://127.0.0.1:8815"
DEFAULT_PORT = 8815
_schemes = {"grpc": "grpc+tcp", "grpc+tcp": "grpc+tcp", "grpcs": "grpc+tls", "grpc+tls": "grpc+tls"}
_READ_AHEAD_BATCHES = 2
_CANCEL_TIMEOUT_SECONDS = 5.0

PemSource = str | os.PathLike[str] | bytes


@dataclass(frozen=True)
class Tls:
    """How to trust the server and, with a certificate and key of its own, to be trusted by it (PEM)."""

    root_certs: PemSource | None = None
    client_cert: PemSource | None = None
    client_key: PemSource | None = None
    hostname: str | None = None
    verify: bool = True


class Transport:
    """One connection to one server; safe to use from several threads."""

    def __init__(self, url: str, *, token: str | None, tls: Tls, timeout: float | None) -> None:
        self.address, self._location, loopback = _parse_url(url)
        self._timeout = timeout
        self._headers = [(b"authorization", b"Bearer " + token.encode())] if token else []
        self._calls = CallHeadersFactory()
        options: dict[str, Any] = {}
        if loopback:
            # A proxy of the environment never reaches this machine's own loopback address.
            options["generic_options"] = [("grpc.enable_http_proxy", 0)]
        if self._location.startswith("grpc+tls"):
            options.update(_tls_options(tls))
        try:
            self._client = fl.FlightClient(self._location, middleware=[self._calls], **options)
        except pa.ArrowException as raised:
            raise InvalidArgumentError(f"cannot connect to {self.address}: {raised}") from raised

    def close(self) -> None:
        """Ends the connection; calls after this fail."""
        self._client.close()

    def action(self, kind: str, body: Mapping[str, Any], *, timeout: float | None = None) -> Any:
        """The JSON answer of a DoAction, None where it answers nothing."""
        action = fl.Action(kind, _encode(body))
        with self._typed():
            results = [result.body.to_pybytes() for result in self._client.do_action(action, self._options(timeout))]
        return json.loads(results[-1]) if results else None

    def plan(self, command: Mapping[str, Any]) -> fl.FlightInfo:
        """GetFlightInfo of a JSON command."""
        descriptor = fl.FlightDescriptor.for_command(_encode(command))
        with self._typed():
            return self._client.get_flight_info(descriptor, self._options())

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
        descriptor = fl.FlightDescriptor.for_command(_encode(command))
        with self._typed():
            writer: Any
            reader: Any
            writer, reader = self._client.do_put(descriptor, schema, self._options(compression=compression))
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
        return AnswerStream(self, ticket)

    def cancel(self, query: str) -> None:
        """Asks the server to stop a query; what it answers does not matter to one who wants to leave."""
        try:
            self.action("cancel", {"query": query}, timeout=_CANCEL_TIMEOUT_SECONDS)
        except FeatherflightError:
            return

    def open_reader(self, ticket: fl.Ticket) -> tuple[fl.FlightStreamReader, CallHeaders | None]:
        """The reader of a DoGet and the headers that belong to it. Raises typed errors."""
        with self._typed():
            reader = self._client.do_get(ticket, self._options())
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


@dataclass(frozen=True)
class Chunk:
    """One message of an answer: a batch, the bytes beside it, or both."""

    batch: pa.RecordBatch | None
    metadata: bytes | None


class AnswerStream:
    """The messages of one DoGet, read ahead by a thread.

    Reading in a thread lets an interrupt (Ctrl-C, a notebook's stop button) through while the server computes, and
    overlaps the network with what the caller does with a batch. At most two batches wait here.
    """

    def __init__(self, transport: Transport, ticket: fl.Ticket) -> None:
        self._transport = transport
        self._ticket = ticket
        self._changed = threading.Condition()
        self._waiting: deque[Chunk] = deque()
        self._ended = False
        self._error: BaseException | None = None
        self._stopped = False
        self._reader: fl.FlightStreamReader | None = None
        threading.Thread(target=self._pump, name="featherflight-answer", daemon=True).start()

    def __iter__(self) -> Iterator[Chunk]:
        while (chunk := self._next()) is not None:
            yield chunk

    def stop(self) -> bool:
        """Ends the call from any thread; whoever reads on gets CancelledError.

        False when the server has not answered yet: then only the cancel action reaches the query.
        """
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            reader, ended = self._reader, self._ended
            self._changed.notify_all()
        if reader is not None:
            reader.cancel()
        return ended or reader is not None

    def _next(self) -> Chunk | None:
        with self._changed:
            while not self._waiting and not self._ended and not self._stopped:
                # A wait without a limit cannot be interrupted everywhere.
                self._changed.wait(0.5)
            if self._stopped:
                raise CancelledError("the job was cancelled")
            if self._waiting:
                chunk = self._waiting.popleft()
                self._changed.notify_all()
                return chunk
            if self._error is not None:
                raise self._error
            return None

    def _pump(self) -> None:
        error: BaseException | None = None
        try:
            reader, headers = self._transport.open_reader(self._ticket)
            with self._changed:
                self._reader = reader
                stopped = self._stopped
            if stopped:
                reader.cancel()
                return
            error = self._read(reader, headers)
        except KeyboardInterrupt:
            # pyarrow's way to say that a call was cancelled; no signal reaches this thread.
            error = CancelledError("the job was cancelled")
        except BaseException as raised:  # noqa: BLE001 - handed to the thread that reads
            error = raised
        finally:
            with self._changed:
                self._error = error
                self._ended = True
                self._reader = None
                self._changed.notify_all()

    def _read(self, reader: fl.FlightStreamReader, headers: CallHeaders | None) -> BaseException | None:
        while True:
            try:
                message = reader.read_chunk()
            except StopIteration:
                return None
            except (pa.ArrowException, fl.FlightError) as raised:
                return error_of_call(raised, headers, self._transport.address)
            metadata = message.app_metadata
            chunk = Chunk(message.data, metadata.to_pybytes() if metadata is not None else None)
            with self._changed:
                while len(self._waiting) >= _READ_AHEAD_BATCHES and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return None
                self._waiting.append(chunk)
                self._changed.notify_all()


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


def _parse_url(url: str) -> tuple[str, str, bool]:
    parts = urlsplit(url if "://" in url else f"grpc://{url}")
    scheme = _schemes.get(parts.scheme)
    try:
        port = parts.port or DEFAULT_PORT
    except ValueError:
        port = 0
    if scheme is None or not parts.hostname or not port or parts.path.strip("/"):
        raise InvalidArgumentError(
            f"{url!r} is not an address of a server: write grpc://host:port, or grpc+tls://host:port for TLS"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "grpc+tls" if scheme == "grpc+tls" else "grpc"
    return f"{shown}://{host}:{port}", f"{scheme}://{host}:{port}", parts.hostname in ("127.0.0.1", "::1", "localhost")


def _tls_options(tls: Tls) -> dict[str, Any]:
    if (tls.client_cert is None) != (tls.client_key is None):
        raise InvalidArgumentError("tls_client_cert and tls_client_key belong together: give both or neither")
    options: dict[str, Any] = {}
    if tls.root_certs is not None:
        options["tls_root_certs"] = _read_pem(tls.root_certs)
    if tls.client_cert is not None and tls.client_key is not None:
        options["cert_chain"] = _read_pem(tls.client_cert)
        options["private_key"] = _read_pem(tls.client_key)
    if tls.hostname is not None:
        options["override_hostname"] = tls.hostname
    if not tls.verify:
        options["disable_server_verification"] = True
    return options


def _read_pem(source: PemSource) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str) and source.lstrip().startswith("-----BEGIN"):
        return source.encode()
    try:
        return Path(source).read_bytes()
    except OSError as raised:
        raise InvalidArgumentError(f"cannot read the certificate or key {str(source)!r}: {raised}") from raised
