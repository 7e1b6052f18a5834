from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

import featherflight as ff
from featherflight._http import HttpTransport
from stand_in_server import StandInServer


class Lines(BaseHTTPRequestHandler):
    """Answers with the lines that a test has put there, in pieces that end anywhere."""

    protocol_version = "HTTP/1.1"
    answer = b""
    is_cut = False
    asked: ClassVar[list[tuple[str, dict[str, Any], str | None]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        Lines.asked.append((self.path, body, self.headers["accept"]))
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for at in range(0, len(Lines.answer), 7):
            piece = Lines.answer[at : at + 7]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if Lines.is_cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def lines(server: StandInServer, store: ff.Store) -> Iterator[type[Lines]]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Lines)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    store._online = HttpTransport("127.0.0.1", http.server_port, token=None, tls=None, tls_hostname=None)
    Lines.asked, Lines.is_cut = [], False
    yield Lines
    http.shutdown()
    http.server_close()
    thread.join()


def told(*messages: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def filling(**now: Any) -> dict[str, Any]:
    place = {"source": "clicks", "view": "activity", "done": 0, "of": 2, "phase": "writing", "events": 0, "keys": 0}
    return {"progress": place | now}


def test_a_replay_shows_view_phase_events_and_keys(
    store: ff.Store, lines: type[Lines], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("featherflight._progress._INTERVAL_SECONDS", 0)
    report = {"source": "clicks", "views": [{"view": "activity", "features": ["n"], "events": 5000, "keys": 300}]}
    lines.answer = told(
        filling(phase="sorting"), filling(events=5000, keys=300), filling(view="pace", done=1), {"done": report}
    )
    assert store.replay("clicks", end=datetime.fromisoformat("2026-01-01T00:00:00+00:00"), progress=True) == report
    shown = capsys.readouterr().err.split("\r")
    assert "activity (1 of 2), sorting events: 0 events" in shown[2]
    assert "activity (1 of 2), 300 keys: 5,000 events" in shown[3]
    assert "pace (2 of 2)" in shown[-1]
    assert shown[-1].endswith("\n")
    assert lines.asked == [
        ("/api/v1/streams/clicks/replay", {"from": None, "to": "2026-01-01T00:00:00.000000Z"}, "application/x-ndjson")
    ]


def test_views_and_ticks_have_a_total(store: ff.Store, lines: type[Lines], capsys: pytest.CaptureFixture[str]) -> None:
    lines.answer = told({"progress": {"view": "profile", "scanned": 50, "of": 200}}, {"done": {"views": []}})
    assert store.materialize_incremental("profile", progress=True) == {"views": []}
    assert "profile [██████··················] 50 of 200 rows, 25%" in capsys.readouterr().err.split("\r")[-1]
    lines.answer = told({"progress": {"tick": "2026-01-01", "done": 3, "of": 4}}, {"done": {"ran": 4}})
    assert store.run_sql("daily", progress=True) == {"ran": 4}
    assert (
        "daily, tick 2026-01-01 [██████████████████······] 3 of 4 ticks, 75%" in capsys.readouterr().err.split("\r")[-1]
    )
    assert store.run_sql("daily", progress=False) == {"ran": 4}
    assert capsys.readouterr() == ("", "")


def test_a_failure_half_way_is_the_servers_error(store: ff.Store, lines: type[Lines]) -> None:
    lines.answer = told(
        filling(), {"error": {"code": "ABORTED", "message": "tables have grown", "details": {"source": "x"}}}
    )
    with pytest.raises(ff.AbortedError, match="tables have grown") as raised:
        store.reset("clicks", {0: 12})
    assert raised.value.details == {"source": "x"}
    assert [body for _, body, _ in lines.asked] == [{"from": {"0": "12"}, "new_log": False}]


def test_an_answer_that_ends_early_is_asked_for_again_and_then_unavailable(store: ff.Store, lines: type[Lines]) -> None:
    lines.answer = told(filling())
    for lines.is_cut in (True, False):
        with pytest.raises(ff.UnavailableError):
            store.replay("clicks")
    assert len(lines.asked) == 6
