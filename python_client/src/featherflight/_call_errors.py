"""From what pyarrow raises, and the trailer beside it, to one of the client's own errors."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl

from featherflight.errors import FeatherflightError, error_of_code

_TRAILER = "featherflight-error-bin"

# The server's own error travels in the trailer; these stand for calls that never reached it. Most particular first.
_codes_by_type: tuple[tuple[type[BaseException], str], ...] = (
    (fl.FlightUnavailableError, "UNAVAILABLE"),
    (fl.FlightUnauthenticatedError, "UNAUTHENTICATED"),
    (fl.FlightUnauthorizedError, "PERMISSION_DENIED"),
    (fl.FlightTimedOutError, "DEADLINE_EXCEEDED"),
    (fl.FlightCancelledError, "CANCELLED"),
    (fl.FlightInternalError, "INTERNAL"),
    (pa.ArrowCancelled, "CANCELLED"),
    (pa.ArrowKeyError, "NOT_FOUND"),
    (pa.ArrowNotImplementedError, "UNIMPLEMENTED"),
    (pa.ArrowInvalid, "INVALID_ARGUMENT"),
)

# How pyarrow dresses a message: what a person wants to read stands between the two.
_prefix = re.compile(r"^Flight returned [a-z ]+ error, with message: |^Flight RPC failed with message: ")
_suffix = re.compile(r"\. (gRPC client debug context|Client context|Detail): .*$", re.DOTALL)


class CallHeaders(fl.ClientMiddleware):  # type: ignore[misc, unused-ignore]
    """What the server said beside one call's messages: the error of the trailer, once it is there."""

    def __init__(self) -> None:
        super().__init__()
        self.trailer: bytes | None = None

    def received_headers(self, headers: Mapping[str, Sequence[str | bytes]]) -> None:
        """Keeps the trailer; headers come more than once, with it or without."""
        values = headers.get(_TRAILER)
        if values:
            value = values[0]
            self.trailer = value if isinstance(value, bytes) else value.encode()


class CallHeadersFactory(fl.ClientMiddlewareFactory):  # type: ignore[misc, unused-ignore]
    """Makes the headers of every call, and remembers per thread which call began last."""

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    def start_call(self, info: Any) -> CallHeaders:
        """Runs in the thread that makes the call."""
        headers = CallHeaders()
        self._local.headers = headers
        return headers

    def take(self) -> CallHeaders | None:
        """The headers of the call that this thread began last."""
        headers: CallHeaders | None = getattr(self._local, "headers", None)
        self._local.headers = None
        return headers


def error_of_call(raised: BaseException, headers: CallHeaders | None, address: str) -> FeatherflightError:
    """The typed error of a call that failed: the server's own where it sent one, else by pyarrow's type."""
    wire = (headers.trailer if headers is not None else None) or getattr(raised, "extra_info", None)
    error = _decode(wire) if wire else None
    if error is not None:
        return error
    code = next((code for kind, code in _codes_by_type if isinstance(raised, kind)), "UNKNOWN")
    message = _undress(raised)
    if code == "UNAVAILABLE":
        message = (
            f"no answer from {address} ({message}); is the server running (featherflight serve)? "
            "The address is connect()'s first argument or FEATHERFLIGHT_URL"
        )
    return error_of_code(code, message)


def _decode(wire: bytes) -> FeatherflightError | None:
    try:
        error = json.loads(wire)
        return error_of_code(str(error["code"]), str(error["message"]), error.get("details") or {})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _undress(raised: BaseException) -> str:
    return _suffix.sub("", _prefix.sub("", str(raised))) or type(raised).__name__
