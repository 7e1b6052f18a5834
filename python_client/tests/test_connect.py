from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pyarrow.flight as fl
import pytest

import featherflight as ff
from featherflight._address import parse_url
from featherflight._call_errors import CallHeaders, error_of_call
from featherflight.errors import error_of_code
from stand_in_server import StandInServer

# Self-signed for localhost until 2126, for tests alone: those of the server use it too.
CERTIFICATES = Path(__file__).parents[2] / "test/flight/support"


def test_connect_takes_address_and_token_from_the_environment(
    server: StandInServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEATHERFLIGHT_URL", server.url)
    monkeypatch.setenv("FEATHERFLIGHT_TOKEN", "abc")
    with ff.connect() as store:
        assert store.server_info()["product"] == "stand-in"
        assert repr(store) == f"feature store at {server.url} (project trial, server 0.0.0, definitions 3)"
    assert set(server.faults.authorizations) == {"Bearer abc"}
    with ff.connect(token="mine"):
        assert server.faults.authorizations[-1] == "Bearer mine"


def test_connect_says_what_to_do_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ff.UnavailableError, match="featherflight serve") as caught:
        ff.connect("127.0.0.1:1")
    assert caught.value.code == "UNAVAILABLE"


def test_connect_reaches_loopback_past_a_proxy(server: StandInServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("grpc_proxy", "http://127.0.0.1:1")
    ff.connect(server.url).close()


@pytest.mark.parametrize(
    ("url", "address", "location"),
    [
        ("grpc://h:1", "grpc://h:1", "grpc+tcp://h:1"),
        ("h", "grpc://h:8815", "grpc+tcp://h:8815"),
        ("grpcs://h", "grpc+tls://h:8815", "grpc+tls://h:8815"),
        ("grpc+tls://[::1]:9/", "grpc+tls://[::1]:9", "grpc+tls://[::1]:9"),
    ],
)
def test_parse_url_knows_schemes_and_default_port(url: str, address: str, location: str) -> None:
    assert parse_url(url)[:2] == (address, location)


@pytest.mark.parametrize("url", ["http://h:1", "grpc://", "grpc://h:99999", "grpc://h/path"])
def test_parse_url_refuses_other_addresses(url: str) -> None:
    with pytest.raises(ff.InvalidArgumentError, match="grpc://host:port"):
        ff.connect(url)


def test_tls_with_own_root_and_client_certificate(tmp_path: Path) -> None:
    cert, key = CERTIFICATES / "localhost.cert.pem", CERTIFICATES / "localhost.key.pem"
    server = StandInServer(
        "grpc+tls://localhost:0", tls_certificates=[fl.CertKeyPair(cert.read_bytes(), key.read_bytes())]
    )
    with server:
        url = f"grpc+tls://localhost:{server.port}"
        ff.connect(url, tls_root_certs=cert).close()
        ff.connect(url, tls_root_certs=cert.read_bytes(), tls_client_cert=cert, tls_client_key=key.read_text()).close()
        ff.connect(url, tls_verify=False).close()
        with pytest.raises(ff.UnavailableError):
            ff.connect(url)
        with pytest.raises(ff.InvalidArgumentError, match="belong together"):
            ff.connect(url, tls_client_cert=cert)
        with pytest.raises(ff.InvalidArgumentError, match="cannot read the certificate"):
            ff.connect(url, tls_root_certs=tmp_path / "none.pem")


def test_every_code_has_its_class_and_survives_pickling() -> None:
    for cls in ff.FeatherflightError.__subclasses__():
        error = error_of_code(cls.code, "what happened", {"name": "x"})
        again = pickle.loads(pickle.dumps(error))
        assert type(error) is cls is type(again)
        assert (again.code, again.message, again.details) == (cls.code, "what happened", {"name": "x"})
    assert error_of_code("NEW_CODE", "m").code == "NEW_CODE"
    assert ff.ResourceExhaustedError("busy", details={"retry_after_seconds": 3}).retry_after_seconds == 3.0
    assert ff.ResourceExhaustedError("busy").retry_after_seconds is None


def test_the_trailer_is_believed_before_pyarrow() -> None:
    headers = CallHeaders()
    headers.received_headers({"featherflight-error-bin": [b'{"code":"OUT_OF_RANGE","message":"m","details":{"a":1}}']})
    headers.received_headers({})
    error = error_of_call(fl.FlightInternalError("dressed"), headers, "grpc://h:1")
    assert isinstance(error, ff.OutOfRangeError)
    assert error.details == {"a": 1}


def test_without_a_trailer_the_type_decides_and_the_message_is_undressed() -> None:
    raised = fl.FlightTimedOutError(
        "Flight returned timeout error, with message: Deadline Exceeded. "
        "gRPC client debug context: x. Client context: y"
    )
    error = error_of_call(raised, CallHeaders(), "grpc://h:1")
    assert isinstance(error, ff.DeadlineExceededError)
    assert error.message == "Deadline Exceeded"


def test_public_names_are_pinned() -> None:
    errors = {cls.__name__ for cls in ff.FeatherflightError.__subclasses__()} | {"FeatherflightError"}
    reports = {"DriftFeature", "DriftReport", "EventReport", "FeatureReport", "InvalidReason", "JobReport"}
    reports |= {"LeakColumn", "LeakLabel", "LeakReport", "Lineage", "LineageEdge", "LineageNode"}
    reports |= {"ParityExample", "ParityFeature", "ParityReport", "Batch", "Dataset"}
    others = {"CatalogueTable", "DeprecatedWarning", "HistoricalJob", "OnlineResponse", "Store", "connect"} | reports
    assert set(ff.__all__) == errors | others
    assert all(hasattr(ff, name) for name in ff.__all__)


def test_import_brings_nothing_but_pyarrow() -> None:
    script = (
        "import json, sys, pyarrow, pyarrow.flight, featherflight; print(json.dumps(sorted(set(sys.modules) & "
        "{'pandas', 'polars', 'torch', 'IPython', 'tqdm', 'pyarrow.parquet', 'pyarrow.compute'})))"
    )
    path = str(Path(ff.__file__).parent.parent)
    out = subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": path}, check=True, capture_output=True)
    assert json.loads(out.stdout) == []
