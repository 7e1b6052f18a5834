"""JSON over HTTP by the standard library: one kept connection a thread, the server's errors as the client's own."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from featherflight.errors import DeadlineExceededError, FeatherflightError, UnavailableError, error_of_code

_TRIES = 3
_LINES = "application/x-ndjson"
_passing = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")


class HttpTransport:
    """Calls one server; safe to use from several threads."""

    def __init__(
        self, host: str, port: int, *, token: str | None, tls: ssl.SSLContext | None, tls_hostname: str | None
    ) -> None:
        self.address = f"{'http' if tls is None else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"
        self._host, self._port, self._tls, self._tls_hostname = host, port, tls, tls_hostname or host
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._local = threading.local()

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        timeout: float | None,
        on_progress: Callable[[Any], None] | None = None,
    ) -> Any:
        """The JSON of the answer; where `on_progress` is given it is told how far the server is.

        Calls that failed for the moment are tried again: all that are made here bear it.
        """
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        ends = None if timeout is None else time.monotonic() + timeout
        for attempt in range(_TRIES):
            left = None if ends is None else ends - time.monotonic()
            if left is not None and left <= 0:
                raise DeadlineExceededError(f"{self.address} did not answer within {timeout} s")
            try:
                return self._once(path, data, left, on_progress)
            except FeatherflightError as raised:
                wait = _wait_seconds(raised, attempt)
                if raised.code not in _passing or attempt == _TRIES - 1 or (left is not None and wait >= left):
                    raise
                time.sleep(wait)
        raise AssertionError("the last try raises")

    def close(self) -> None:
        """Ends this thread's connection."""
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    def _once(self, path: str, data: bytes, timeout: float | None, on_progress: Callable[[Any], None] | None) -> Any:
        accept = {} if on_progress is None else {"accept": _LINES}
        connection = self._connection(timeout)
        try:
            connection.request("POST", path, data, {**self._headers, **accept, "x-request-id": uuid.uuid4().hex})
            response = connection.getresponse()
            if on_progress is not None and response.getheader("content-type", "").startswith(_LINES):
                return self._read_lines(response, on_progress)
            text = response.read()
        except TimeoutError as raised:
            self.close()
            raise DeadlineExceededError(f"{self.address} did not answer in time") from raised
        except (OSError, http.client.HTTPException) as raised:
            self.close()
            raise UnavailableError(
                f"no answer from {self.address} ({raised}); is the server running there?"
            ) from raised
        except BaseException:
            # What comes then of this answer is nobody's any more; the server sees that its client left.
            self.close()
            raise
        try:
            answer = json.loads(text)
        except ValueError as raised:
            raise error_of_code(
                "UNAVAILABLE" if response.status in (502, 503, 504) else "INTERNAL",
                f"{self.address} answered {response.status} with what is no JSON; is a Featherflight server there?",
            ) from raised
        if response.status < 400:
            return answer
        raise _error_of(answer)

    def _read_lines(self, response: http.client.HTTPResponse, on_progress: Callable[[Any], None]) -> Any:
        """Tells what comes line by line, and gives the result that ends it."""
        for line in response:
            message = json.loads(line)
            if "progress" in message:
                on_progress(message["progress"])
            elif "done" in message:
                response.read()
                return message["done"]
            else:
                response.read()
                raise _error_of(message)
        raise http.client.IncompleteRead(b"")

    def _connection(self, timeout: float | None) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            if self._tls is None:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
            else:
                connection = _NamedConnection(self._host, self._port, self._tls, self._tls_hostname)
            self._local.connection = connection
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        return connection


class _NamedConnection(http.client.HTTPConnection):
    """TLS with a server whose certificate may carry another name than its address."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, name: str) -> None:
        super().__init__(host, port)
        self._context, self._name = context, name

    def connect(self) -> None:
        """Connects and shakes hands."""
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)


def _error_of(answer: Any) -> FeatherflightError:
    error = answer["error"]
    return error_of_code(str(error["code"]), str(error["message"]), error.get("details") or {})


def _wait_seconds(raised: FeatherflightError, attempt: int) -> float:
    """What the server asks for, else 50 ms that double; spread, so that clients do not come back together."""
    asked = raised.details.get("retry_after_seconds")
    least = float(asked) if isinstance(asked, (int, float)) else 0.05 * 2**attempt
    return least * (1 + random.random() / 2)
