"""Every notebook runs from top to bottom against a real server over a freshly made repository."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
CLI = ["node", str(ROOT / "dist/cli/main.js")]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """StreamRec's repository, made and applied."""
    directory = tmp_path_factory.mktemp("notebooks") / "streamrec"
    subprocess.run([*CLI, "init", str(directory), "--template", "streamrec"], check=True, timeout=120)
    subprocess.run([*CLI, "-C", str(directory), "apply", "--yes"], check=True, timeout=120)
    return directory


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[str]:
    """The address of a server of that repository."""
    environment = {**os.environ, "FEATHERFLIGHT_FLIGHT_PORT": "0", "FEATHERFLIGHT_HTTP_PORT": "0"}
    process = subprocess.Popen(
        [*CLI, "-C", str(repository), "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if address := re.search(r'grpc://[^\s"]+', line):
                break
        else:
            pytest.fail("the server ended without saying where it listens:\n" + "".join(lines))
        timer.cancel()
        # Whatever else it says must not fill the pipe.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield address.group()
    finally:
        timer.cancel()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    assert process.returncode == 0


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, server: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEATHERFLIGHT_URL", server)
    monkeypatch.setenv("STREAMREC_DATA", str(repository / "data"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    complaints = [output.text for output in outputs if output.get("name") == "stderr" and "arning" in output.text]
    assert not complaints


def test_the_notebook_as_it_is_stored_shows_how_far_the_leak_reaches() -> None:
    notebook = nbformat.read(ROOT / "notebooks/02-three-incidents.ipynb", as_version=4)
    pages = [
        output.data.get("text/html", "")
        for cell in notebook.cells
        if cell.cell_type == "code" and "store.audit_leaks(" in cell.source
        for output in cell.outputs
        if "data" in output
    ]
    failing = [page for page in pages if "FAIL" in page]
    assert failing
    assert all('<img alt="shares of rows that leak' in page for page in failing)
