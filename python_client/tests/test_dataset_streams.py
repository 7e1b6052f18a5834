"""A dataset batch by batch, over rows that are in memory: what fills up, and where one goes on."""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import featherflight as ff
from featherflight._datasets.epochs import Epochs
from featherflight._datasets.examples import Examples
from featherflight._datasets.rows import RowRange, RowSource
from featherflight._datasets.shard import Shard
from featherflight._datasets.stream import Stream

SCHEMA = pa.schema([("row", pa.int64()), ("path", pa.list_(pa.int32()))])


@dataclass(frozen=True)
class Memory:
    """At each position of an epoch the row of that number, with a list of some length."""

    command: Mapping[str, Any] = field(default_factory=lambda: {"columns": SCHEMA.names})

    def read(self, wanted: RowRange) -> Iterator[tuple[int, pa.RecordBatch]]:
        for at in range(wanted.start, wanted.end, wanted.step):
            rows = range(at, at + wanted.rows_at(at))
            yield at, pa.RecordBatch.from_pylist([example(row) for row in rows], SCHEMA)


def example(row: int) -> dict[str, Any]:
    return {"row": row, "path": [row] * (row % 3)}


def stream_of(rows: int, size: int, rank: int = 0, world: int = 1, last: str = "uneven") -> Stream:
    source = cast("RowSource", Memory())
    return Stream("d@1", "id", "all", 7, 64, source, SCHEMA, Shard(rows, size, 0, rank, world, last))


sizes = st.tuples(st.integers(1, 60), st.integers(1, 20), st.integers(1, 5)).map(
    lambda drawn: (drawn[0], drawn[1], min(drawn[2], drawn[0]))
)


@given(sizes)
@settings(max_examples=100, deadline=None)
def test_what_fills_up_is_the_start_of_the_epoch(drawn: tuple[int, int, int]) -> None:
    rows, size, world = drawn
    ranks = [list(stream_of(rows, size, rank, world, "pad").read(0, 0)) for rank in range(world)]
    rounds = [batch for turn in zip(*ranks, strict=True) for batch in turn]
    assert {batch.num_rows for _, batch in rounds} == {size}
    for place, batch in rounds:
        assert (place.rows, place.epoch) == (size, 0)
        assert batch.to_pylist() == [example((place.position + at) % rows) for at in range(size)]
    assert sum(place.rows - place.padding for place, _ in rounds) == rows


@given(sizes, st.sampled_from(["uneven", "pad"]), st.data())
@settings(max_examples=100, deadline=None)
def test_examples_go_on_at_the_next_row(drawn: tuple[int, int, int], last: str, data: st.DataObject) -> None:
    rows, size, _ = drawn
    done = data.draw(st.integers(0, rows))
    begun = Examples(stream_of(rows, size, last=last), 0)
    seen = list(itertools.islice(begun, done))
    resumed = Examples(stream_of(rows, data.draw(st.integers(1, 20))), 0)
    resumed.load_state_dict(begun.state_dict())
    assert [*seen, *resumed] == [example(row) for row in range(rows)]
    assert resumed.epoch == 1
    assert resumed.state_dict()["position"] == 0


@given(sizes, st.data())
@settings(max_examples=100, deadline=None)
def test_of_several_ranks_a_begun_round_comes_again(drawn: tuple[int, int, int], data: st.DataObject) -> None:
    rows, size, world = drawn
    rank = data.draw(st.integers(0, world - 1))
    begun = Examples(stream_of(rows, size, rank, world, "pad"), 0)
    done = len(list(itertools.islice(begun, data.draw(st.integers(0, size * 3)))))
    of_a_round = size if world > 1 else 1
    assert begun.state_dict()["position"] % rows == min(rows, done // of_a_round * of_a_round * world) % rows


@given(sizes, st.data())
@settings(max_examples=100, deadline=None)
def test_dicts_of_lists_are_the_same_rows(drawn: tuple[int, int, int], data: st.DataObject) -> None:
    rows, size, _ = drawn
    batches = list(Examples(stream_of(rows, 7), 0).iter(size))
    assert [len(batch["row"]) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert [row for batch in batches for row in batch["row"]] == list(range(rows))
    begun = Examples(stream_of(rows, 7), 0)
    done = data.draw(st.integers(0, len(batches)))
    seen = list(itertools.islice(begun.iter(size), done))
    resumed = Examples(stream_of(rows, 7), 0)
    resumed.load_state_dict(begun.state_dict())
    assert [row for batch in seen for row in batch["row"]] + [one["row"] for one in resumed] == list(range(rows))


def test_epochs_follow_each_other_and_a_state_goes_on_anywhere() -> None:
    batches = Epochs(stream_of(10, 4), 3, lambda _, rows: rows.column("row").to_pylist())
    assert len(batches) == 3
    assert list(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert batches.epoch == 4
    assert next(iter(batches)) == [0, 1, 2, 3]
    resumed = Epochs(stream_of(10, 5), 0, lambda _, rows: rows.column("row").to_pylist())
    resumed.load_state_dict(batches.state_dict())
    resumed.set_epoch(4)
    assert len(resumed) == 2
    assert list(resumed) == [[4, 5, 6, 7, 8], [9]]
    resumed.set_epoch(9)
    assert (resumed.epoch, len(resumed)) == (9, 2)


def test_rows_of_other_columns_are_no_rows_of_the_dataset() -> None:
    other = replace(stream_of(10, 4), schema=pa.schema([("row", pa.int32())]))
    with pytest.raises(ff.DataLossError, match="d@1 came with other columns"):
        list(Epochs(other, 0, lambda _, rows: rows))


def test_methods_show_the_arguments_that_they_share() -> None:
    rows, tensors = inspect.signature(ff.Dataset.arrow), inspect.signature(ff.Dataset.numpy)
    for name in ("polars", "examples"):
        assert inspect.signature(getattr(ff.Dataset, name)).parameters == rows.parameters
    assert inspect.signature(ff.Dataset.torch).parameters == tensors.parameters
    assert set(rows.parameters) < set(tensors.parameters)
    for method in (ff.Dataset.arrow, ff.Dataset.polars, ff.Dataset.examples, ff.Dataset.numpy, ff.Dataset.torch):
        text = inspect.getdoc(method) or ""
        described = text.split("Args:")[1].split("Raises:")[0]
        for name in inspect.signature(method).parameters:
            assert name == "self" or f" {name}: " in described
    with pytest.raises(TypeError, match="bath_size"):
        ff.Dataset.arrow(cast("ff.Dataset", None), bath_size=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("library", ["polars", "numpy", "torch"])
def test_a_library_that_is_missing_is_named_first(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == library else found(name, *rest)
    )
    monkeypatch.delitem(sys.modules, library, raising=False)
    with pytest.raises(ModuleNotFoundError, match=f"{library}\\(\\) needs {library}: pip install {library}"):
        getattr(ff.Dataset, library)(None, split="nowhere")
