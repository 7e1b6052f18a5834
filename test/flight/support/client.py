"""The pyarrow side of the Flight server's tests: client.py FUNCTION PORT ARGUMENTS prints JSON."""

import json
import os
import random
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pyarrow.flight as fl


class ErrorFactory(fl.ClientMiddlewareFactory):
    """Keeps the error trailer of the last call."""

    def __init__(self):
        self.last = None

    def start_call(self, info):
        self.last = None
        return ErrorMiddleware(self)


class ErrorMiddleware(fl.ClientMiddleware):
    def __init__(self, factory):
        self.factory = factory

    def received_headers(self, headers):
        if "featherflight-error-bin" in headers:
            self.factory.last = json.loads(headers["featherflight-error-bin"][0])


errors = ErrorFactory()


def connect(port, **options):
    return fl.connect(f"grpc://127.0.0.1:{port}", middleware=[errors], **options)


def command(text):
    return fl.FlightDescriptor.for_command(text.encode())


def sample(rows=1000):
    rng = np.random.default_rng(7)
    return pa.table(
        {
            "n": pa.array(range(rows), pa.int64()),
            "x": pa.array(rng.standard_normal(rows), mask=rng.random(rows) < 0.1),
            "s": pa.array([f"row {i} é" for i in range(rows)]),
            "d": pa.array(["ab"[i % 2] for i in range(rows)]).dictionary_encode(),
        }
    )


def wide(rows=65536, columns=20):
    rng = np.random.default_rng(7)
    return pa.record_batch({f"c{i}": rng.standard_normal(rows) for i in range(columns)})


def put(client, name, table, options=None):
    writer, reader = client.do_put(command(name), table.schema, *([options] if options else []))
    writer.write_table(table) if isinstance(table, pa.Table) else writer.write_batch(table)
    writer.done_writing()
    results = []
    while (result := reader.read()) is not None:
        results.append(json.loads(result.to_pybytes()))
    writer.close()
    return results


def ticket(name, **more):
    return fl.Ticket(json.dumps({"name": name, **more}).encode())


def outcome(action):
    """The exception's class and the error trailer, or the value."""
    try:
        return action()
    except BaseException as error:  # noqa: BLE001 (a cancelled call raises KeyboardInterrupt)
        return [type(error).__name__, errors.last, str(error)[:3000]]


def every_method(port):
    client = connect(port)
    table = sample()
    assert len(put(client, "table", table)) == 1 + 1, "a dictionary and a batch"
    assert client.do_get(ticket("table")).read_all().equals(table)
    repeated = client.do_get(ticket("table", repeat=3)).read_all()
    assert repeated.equals(pa.concat_tables([table] * 3))

    info = client.get_flight_info(command("table"))
    assert info.schema.equals(table.schema)
    assert (info.total_records, info.total_bytes, info.ordered) == (-1, 12345678901, True)
    assert info.app_metadata == b"info" and info.descriptor == command("table")
    (endpoint,) = info.endpoints
    assert endpoint.app_metadata == b"endpoint"
    assert endpoint.locations == [fl.Location("grpc://127.0.0.1:1")]
    assert endpoint.expiration_time.cast(pa.timestamp("us", "UTC")).value == -1500000
    assert client.do_get(endpoint.ticket).read_all().equals(table)
    assert client.get_schema(command("table")).schema.equals(table.schema)
    put(client, "other", table)
    assert [list(f.descriptor.path) for f in client.list_flights()] == [[b"shelf", b"table"], [b"shelf", b"other"]]
    assert len(list(client.list_flights(b"oth"))) == 1
    assert next((a.type, a.description) for a in client.list_actions()) == ("echo", "gives back what it is given")
    assert [r.body.to_pybytes() for r in client.do_action(("echo", b"body"))] == [b"body", b"done"]
    encoded = info.serialize()
    request = b"\x0a" + bytes([len(encoded) % 128 + 128, len(encoded) // 128]) + encoded
    assert [r.body.to_pybytes() for r in client.do_action(("CancelFlightInfo", request))] == [b"\x08\x01"]

    writer, reader = client.do_exchange(command("echo"))
    with writer:
        writer.begin(table.schema)
        for part in table.to_batches(max_chunksize=300):
            writer.write_batch(part)
            chunk = reader.read_chunk()
            assert chunk.data.equals(part), "answers come while the upload goes on"
        writer.write_with_metadata(table.slice(0, 10).combine_chunks().to_batches()[0], b"meta")
        chunk = reader.read_chunk()
        assert chunk.app_metadata == b"meta" and chunk.data.num_rows == 10
        writer.done_writing()
        assert outcome(reader.read_chunk)[0] == "StopIteration"

    writer, reader = client.do_put(command("drained"), table.schema)
    writer.write_table(table)
    writer.done_writing()
    assert reader.read().to_pybytes() == b"drained"
    writer.close()
    return "ok"


def protobuf(port):
    """What pyarrow makes of messages: the other half of messages.test.ts."""
    descriptor = fl.FlightDescriptor.for_path("a", "", "é")
    endpoint = fl.FlightEndpoint(
        fl.Ticket(b"t\xff"), ["grpc://h:1", "grpc://h:2"], pa.scalar(1772625600000001, pa.timestamp("us", "UTC")), b"e"
    )
    info = fl.FlightInfo(pa.schema([("a", pa.int32())]), descriptor, [endpoint], -1, 2**62, True, b"m")
    values = {
        "path": descriptor,
        "command": fl.FlightDescriptor.for_command(b"\x00c"),
        "ticket": fl.Ticket(b"\x01t"),
        "endpoint": endpoint,
        "info": info,
        "action": fl.Action("type", b"body"),
        "actionType": fl.ActionType("type", "words"),
        "result": fl.Result(b"r"),
    }
    plain = {}
    for name, value in values.items():
        try:
            plain[name] = value.serialize().hex()
        except AttributeError:
            pass
    return plain


def all_errors(port):
    client = connect(port)
    put(client, "table", sample())

    def exchange():
        writer, reader = client.do_exchange(command("x"))
        with writer:
            writer.begin(sample().schema)
            writer.write_with_metadata(sample().to_batches()[0], b"fail")
            writer.done_writing()
            reader.read_all()

    fail = {"code": "RESOURCE_EXHAUSTED", "message": "too much", "details": {"retry_after_seconds": 2}}
    seen = []

    def mid_stream():
        for chunk in client.do_get(ticket("table", repeat=5, fail=fail)):
            seen.append(chunk.data.num_rows)

    return {
        "info": outcome(lambda: client.get_flight_info(command("nope"))),
        "schema": outcome(lambda: client.get_schema(command("nope"))),
        "get": outcome(lambda: client.do_get(ticket("nope")).read_all()),
        "mid_stream": outcome(mid_stream),
        "seen": seen,
        "empty": outcome(lambda: client.do_get(ticket("table", empty=True)).read_all()),
        "put": outcome(lambda: put(client, "refused", sample())),
        "exchange": outcome(exchange),
        "crash": outcome(lambda: list(client.do_action(("crash", b"")))),
        "timeout": outcome(lambda: list(client.do_action(("hang", b""), fl.FlightCallOptions(timeout=0.3)))),
    }


def action_errors(port, cases):
    client = connect(port)
    return [outcome(lambda c=case: list(client.do_action(("fail", json.dumps(c).encode())))) for case in json.loads(cases)]


def refused_uploads(port, times):
    """Every write must go through, whatever its size, and the refusal come at the end."""
    client = connect(port)
    batch = wide(20000)
    seen = set()
    for _ in range(int(times)):
        writer, reader = client.do_put(command("refused"), batch.schema)
        for _ in range(5):
            writer.write_batch(batch)
        writer.done_writing()
        assert reader.read() is None, "pyarrow tells of errors when the writer is closed"
        result = outcome(writer.close)
        seen.add(json.dumps(result[:2]))
    return sorted(seen)


def cancelled_at_random(port, threads, streams):
    client = connect(port)
    put(client, "wide", wide(8192))
    failures = []

    def work(seed):
        rng = random.Random(seed)
        for _ in range(int(streams) // int(threads)):
            try:
                kind = rng.choice(["get", "get", "drop", "put", "exchange", "hang"])
                if kind in ("get", "drop"):
                    reader = client.do_get(ticket("wide", repeat=100000))
                    for _ in range(rng.randrange(6)):
                        reader.read_chunk()
                    if kind == "get":
                        reader.cancel()
                    del reader
                elif kind == "put":
                    writer, reader = client.do_put(command(f"put{seed}"), wide(100).schema)
                    for _ in range(rng.randrange(6)):
                        writer.write_batch(wide(100))
                    del writer, reader
                elif kind == "exchange":
                    writer, reader = client.do_exchange(command("x"))
                    writer.begin(wide(100).schema)
                    for _ in range(rng.randrange(6)):
                        writer.write_batch(wide(100))
                        reader.read_chunk()
                    reader.cancel()
                    del writer, reader
                else:
                    outcome(lambda: list(client.do_action(("hang", b""), fl.FlightCallOptions(timeout=rng.random() / 4))))
            except BaseException as error:  # noqa: BLE001
                failures.append(repr(error))

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return failures


def read_slowly(port, chunks):
    """Reads a few batches of 10 MB of an endless answer, then waits to be killed."""
    client = connect(port)
    put(client, "wide", wide())
    reader = client.do_get(ticket("wide", repeat=100000))
    for _ in range(int(chunks)):
        reader.read_chunk()
    print("waiting")
    time.sleep(60)


def upload_ahead(port):
    """How many batches of 1 MB a client can write ahead in 1.5 s of a server that takes one every 0.3 s."""
    client = connect(port)
    batch = wide(65536, 2)
    writer, _ = client.do_put(command("slow"), batch.schema)
    written = []

    def write():
        while len(written) < 1000:
            writer.write_batch(batch)
            written.append(1)

    threading.Thread(target=write, daemon=True).start()
    time.sleep(1.5)
    print(json.dumps(len(written)))
    sys.stdout.flush()
    os._exit(0)


def hang(port):
    print("hanging")
    return outcome(lambda: list(connect(port).do_action(("hang", b""))))


def linger(port, ms):
    print("lingering")
    return outcome(lambda: [r.body.to_pybytes().decode() for r in connect(port).do_action(("linger", ms.encode()))])


def token(port):
    client = connect(port)
    options = fl.FlightCallOptions(headers=[(b"authorization", b"Bearer s3cret"), (b"x-two", b"1"), (b"x-two", b"2")])
    return [r.body.to_pybytes().decode() for r in client.do_action(("echo", b"hi"), options)]


def tls(port, certificate):
    with open(certificate, "rb") as file:
        client = fl.connect(f"grpc+tls://localhost:{port}", tls_root_certs=file.read())
    return [r.body.to_pybytes().decode() for r in client.do_action(("echo", b"hi"))]


def large(port, megabytes):
    """One batch in one message, up and down."""
    client = connect(port)
    batch = pa.record_batch({"x": np.arange(int(megabytes) * 131072)})
    put(client, "large", batch)
    return client.do_get(ticket("large")).read_chunk().data.equals(batch)


def reused(port):
    """Memory that is overwritten after it was handed over must have been sent by then: large batches and small."""
    client = connect(port)
    for batch, repeat in ((wide(), 30), (wide(10, 2), 5000)):
        put(client, "reused", batch)
        reader = client.do_get(ticket("reused", repeat=repeat, reuse=True))
        count = 0
        for chunk in reader:
            assert chunk.data.equals(batch), f"batch {count} changed on its way"
            count += 1
            if batch.num_rows > 10 and count % 10 == 0:
                time.sleep(0.1)
        assert count == repeat
    return "ok"


def refused_large(port):
    client = connect(port)
    return outcome(lambda: put(client, "large", wide()))[0]


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
