"""Starts and stops the servers of a benchmark, each a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NODE = os.environ.get("BENCH_NODE", "node")
_SERVE = Path(__file__).with_name("serve.mjs")


@dataclass(frozen=True)
class Server:
    """A running server: its address and its process."""

    url: str
    pid: int


@contextmanager
def process_that_serves(command: Sequence[str | Path]) -> Iterator[Server]:
    """Runs a program that prints its address as one line of JSON and stops when its standard input ends."""
    process = subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command[1]} ended with status {process.wait()} before it listened")
        yield Server(**json.loads(line))
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@contextmanager
def running_server(repository: Path, *, fresh: bool) -> Iterator[Server]:
    """Serves a repository; `fresh` begins without any state, projections included."""
    if fresh:
        shutil.rmtree(repository / ".featherflight", ignore_errors=True)
    flags = os.environ.get("BENCH_NODE_FLAGS", "").split()
    with process_that_serves([NODE, *flags, _SERVE, repository]) as server:
        yield server
