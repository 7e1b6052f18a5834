"""Flight clients that survive a fork: gRPC cannot be used in a child that was forked while it runs in the parent."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as fl

from featherflight.errors import FailedPreconditionError

_lock = threading.RLock()
_connections: weakref.WeakSet[Connection] = weakref.WeakSet()
_forked_in_call = False
# This process was forked from one that used gRPC. Should a part of it still have run then, calls hang.
_is_doubtful = False
# What both were before a fork, for the parent.
_before = (False, False)
_has_called = False

_SPAWN = "start them with multiprocessing_context='spawn'"
_PROOF_SECONDS = 30.0
_GRPC_THREADS = ("grpc", "event_engine", "lifeguard")
_GRPC_SECONDS = 20.0


class Connection:
    """One client, made when it is needed.

    Before the process forks, as a DataLoader's workers do, clients without a running call are let go of, so that gRPC
    ends; the next call makes them anew, in the parent as in the child.
    """

    def __init__(self, make: Callable[[], fl.FlightClient]) -> None:
        self._make = make
        self._client: fl.FlightClient | None = None
        self._calls = 0
        self._closed = False
        with _lock:
            _connections.add(self)

    @contextlib.contextmanager
    def call(self) -> Iterator[fl.FlightClient]:
        """The client, for as long as a call runs.

        Raises:
            FailedPreconditionError: this process was forked while a call was running, or the connection was closed.
        """
        client = self.begin()
        try:
            yield client
        finally:
            del client
            self.end()

    def begin(self) -> fl.FlightClient:
        """The client for a call that `end` ends."""
        global _has_called
        proven = _prove(self._make) if _is_doubtful and not _forked_in_call and not self._closed else None
        with _lock:
            _has_called = True
            if _forked_in_call:
                raise FailedPreconditionError(
                    "this process was forked while its parent was reading from the server, and cannot call it: read to "
                    f"the end or cancel before workers start, or {_SPAWN}"
                )
            if self._closed:
                raise FailedPreconditionError("the connection was closed; connect again")
            if self._client is None:
                self._client = proven or self._make()
            self._calls += 1
            return self._client

    def end(self) -> None:
        """Says that a call is over."""
        with _lock:
            self._calls -= 1

    def close(self) -> None:
        """Ends it; calls after this fail."""
        with _lock:
            client, self._client, self._closed = self._client, None, True
        if client is not None:
            client.close()

    @property
    def has_client(self) -> bool:
        """Whether gRPC runs for it."""
        return self._client is not None

    def let_go(self) -> None:
        """Drops the client unless a call runs."""
        if self._calls == 0 and self._client is not None:
            self._client.close()
            self._client = None


def _prove(make: Callable[[], fl.FlightClient]) -> fl.FlightClient:
    """A client that does not hang. One that does cannot be interrupted, but its thread can be left alone."""
    global _is_doubtful
    made: list[fl.FlightClient] = []
    failed: list[BaseException] = []

    def call() -> None:
        try:
            made.append(make())
        except BaseException as raised:  # noqa: BLE001
            failed.append(raised)
            return
        with contextlib.suppress(pa.ArrowException, fl.FlightError):
            list(made[0].do_action(fl.Action("server_info", b"{}")))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(_PROOF_SECONDS)
    if thread.is_alive():
        raise FailedPreconditionError(
            "this process was forked while its parent used Arrow Flight in another way, and cannot call the server: "
            f"close the parent's other Flight clients before workers start, or {_SPAWN}"
        )
    _is_doubtful = False
    if failed:
        raise failed[0]
    return made[0]


def _before_fork() -> None:
    global _before, _forked_in_call, _is_doubtful
    _lock.acquire()
    _before = (_forked_in_call, _is_doubtful)
    for connection in _connections:
        connection.let_go()
    _forked_in_call = _forked_in_call or any(connection.has_client for connection in _connections)
    if _has_called and not _forked_in_call:
        _wait_for_grpc()
    _is_doubtful = _is_doubtful or _has_called or _grpc_runs()


def _wait_for_grpc() -> None:
    """gRPC ends in threads of its own, and a fork before they have gone leaves the child with half of it."""
    deadline = time.monotonic() + _GRPC_SECONDS
    # One thread may start another and end while it is looked for both: twice none is none.
    seen = 0
    while seen < 2 and time.monotonic() < deadline:
        seen = 0 if _grpc_runs() else seen + 1
        time.sleep(0.002)


def _grpc_runs() -> bool:
    try:
        names = [task.read_text() for task in Path("/proc/self/task").glob("*/comm")]
    except OSError:
        # One has ended meanwhile, and may have started another.
        return True
    return any(name.startswith(_GRPC_THREADS) for name in names)


def _after_in_parent() -> None:
    global _forked_in_call, _is_doubtful
    _forked_in_call, _is_doubtful = _before
    _lock.release()


def _after_in_child() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
