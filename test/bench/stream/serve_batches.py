"""pyarrow's own Flight server, C++ from end to end, on the same files: `serve_batches.py FILE…`."""

from __future__ import annotations

import json
import os
import sys

import pyarrow as pa
import pyarrow.flight as fl


class _Server(fl.FlightServerBase):
    def __init__(self, paths: list[str]) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self._tables = []
        for path in paths:
            # Read into memory, not mapped.
            with open(path, "rb") as file:
                self._tables.append(pa.ipc.open_stream(pa.py_buffer(file.read())).read_all())

    def do_get(self, context: fl.ServerCallContext, ticket: fl.Ticket) -> fl.FlightDataStream:
        return fl.RecordBatchStream(self._tables[int(ticket.ticket)])


if __name__ == "__main__":
    server = _Server(sys.argv[1:])
    print(json.dumps({"url": f"grpc://127.0.0.1:{server.port}", "pid": os.getpid()}), flush=True)
    sys.stdin.read()
    server.shutdown()
