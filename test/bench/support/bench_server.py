"""Starts and stops the server of a repository folder, each time as a new process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SERVE = Path(__file__).with_name("serve.mjs")
_NODE = os.environ.get("BENCH_NODE", "node")


@dataclass(frozen=True)
class Server:
    """A running server: its address and its process."""

    url: str
    pid: int


@contextmanager
def running_server(repository: Path, *, fresh: bool) -> Iterator[Server]:
    """Serves `repository` while the block runs; `fresh` begins without any state, projections included."""
    if fresh:
        shutil.rmtree(repository / ".featherflight", ignore_errors=True)
    flags = os.environ.get("BENCH_NODE_FLAGS", "").split()
    process = subprocess.Popen(
        [_NODE, *flags, str(_SERVE), str(repository)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server ended with status {process.wait()} before it listened")
        yield Server(**json.loads(line))
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
