"""Every error the client raises, one class per code.

::

    FeatherflightError                  code, message, details
    ├── InvalidArgumentError            the request is wrong; the message says what to change
    ├── NotFoundError                   no such view, feature, service, file or upload
    ├── AlreadyExistsError
    ├── FailedPreconditionError         the server's state does not allow it
    ├── OutOfRangeError
    ├── PermissionDeniedError           the token does not cover this
    ├── UnauthenticatedError            no token, or one that is not valid
    ├── ResourceExhaustedError          past a limit; retry_after_seconds says when to come back
    ├── AbortedError                    stopped by the server; trying again may work
    ├── CancelledError                  stopped by this client
    ├── DeadlineExceededError           took longer than the timeout
    ├── UnavailableError                nobody answers at that address
    ├── UnimplementedError              the server does not know this call
    ├── DataLossError                   an answer that is not whole
    └── InternalError                   a fault of the server
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "FeatherflightError",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "error_of_code",
]


class FeatherflightError(Exception):
    """What went wrong, which name it concerns and what to do; `code` is what a caller branches on."""

    code: str = "UNKNOWN"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.details, self.code)


class InvalidArgumentError(FeatherflightError):
    """The request is wrong: an unknown option, a column of the wrong type, names that collide."""

    code = "INVALID_ARGUMENT"


class NotFoundError(FeatherflightError):
    """A view, feature, service, file or upload that the server does not have."""

    code = "NOT_FOUND"


class AlreadyExistsError(FeatherflightError):
    """Something of that name is there already."""

    code = "ALREADY_EXISTS"


class FailedPreconditionError(FeatherflightError):
    """The state of the server or of this object does not allow the call."""

    code = "FAILED_PRECONDITION"


class OutOfRangeError(FeatherflightError):
    """A value outside the range that its type or the server allows."""

    code = "OUT_OF_RANGE"


class PermissionDeniedError(FeatherflightError):
    """The token is valid, but does not cover this call."""

    code = "PERMISSION_DENIED"


class UnauthenticatedError(FeatherflightError):
    """No token where one is needed, or one that is not valid."""

    code = "UNAUTHENTICATED"


class ResourceExhaustedError(FeatherflightError):
    """The server is at one of its limits: queue, queries per token, query time, spill space, upload size."""

    code = "RESOURCE_EXHAUSTED"

    @property
    def retry_after_seconds(self) -> float | None:
        """Seconds after which the same call may work, where the server says so."""
        value = self.details.get("retry_after_seconds")
        return float(value) if isinstance(value, (int, float)) else None


class AbortedError(FeatherflightError):
    """The server stopped the call; trying again may work."""

    code = "ABORTED"


class CancelledError(FeatherflightError):
    """The job was cancelled by this client."""

    code = "CANCELLED"


class DeadlineExceededError(FeatherflightError):
    """The call took longer than its timeout."""

    code = "DEADLINE_EXCEEDED"


class UnavailableError(FeatherflightError):
    """Nobody answers at the address, or the connection was lost."""

    code = "UNAVAILABLE"


class UnimplementedError(FeatherflightError):
    """The server does not know this call: it may be older than the client."""

    code = "UNIMPLEMENTED"


class DataLossError(FeatherflightError):
    """An answer or upload that is not whole: fewer rows than announced, or no final report."""

    code = "DATA_LOSS"


class InternalError(FeatherflightError):
    """A fault of the server."""

    code = "INTERNAL"


_classes: dict[str, type[FeatherflightError]] = {cls.code: cls for cls in FeatherflightError.__subclasses__()}


def error_of_code(code: str, message: str, details: Mapping[str, Any] | None = None) -> FeatherflightError:
    """The error of a code; one that is not known becomes a plain FeatherflightError that carries it."""
    cls = _classes.get(code)
    return cls(message, details=details) if cls is not None else FeatherflightError(message, details=details, code=code)


def _rebuild(cls: type[FeatherflightError], message: str, details: dict[str, Any], code: str) -> FeatherflightError:
    return cls(message, details=details, code=code)
