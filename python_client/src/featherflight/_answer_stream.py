"""The messages of one answer as they come, read ahead by a thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import pyarrow as pa
import pyarrow.flight as fl

from featherflight._call_errors import CallHeaders, error_of_call
from featherflight.errors import CancelledError

READ_AHEAD_BATCHES = 2

# Starts the DoGet: its reader, and the headers that belong to it.
OpenReader = Callable[[], tuple[fl.FlightStreamReader, CallHeaders | None]]


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

    def __init__(self, open_reader: OpenReader, address: str, on_end: Callable[[], None]) -> None:
        self._open_reader: OpenReader | None = open_reader
        self._address = address
        self._on_end = on_end
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
        reader: fl.FlightStreamReader | None = None
        try:
            open_reader, self._open_reader = cast("OpenReader", self._open_reader), None
            reader, headers = open_reader()
            del open_reader
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
            # The client is free when nothing refers to the call any more.
            reader = None
            self._on_end()
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
                return error_of_call(raised, headers, self._address)
            metadata = message.app_metadata
            chunk = Chunk(message.data, metadata.to_pybytes() if metadata is not None else None)
            with self._changed:
                while len(self._waiting) >= READ_AHEAD_BATCHES and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return None
                self._waiting.append(chunk)
                self._changed.notify_all()
