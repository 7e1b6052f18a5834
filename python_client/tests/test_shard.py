"""Which positions ranks and workers read: every row once, in one order, whatever their numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import featherflight as ff
from featherflight._datasets.rows import RowRange
from featherflight._datasets.shard import Shard


def positions_of(shard: Shard, worker: int, workers: int, first: int = 0) -> list[tuple[int, list[int]]]:
    """The batches of a worker by number, as read_batches asks for them, and without what fills them up."""
    index = first + (worker - first) % workers
    found = []
    if shard.begin(index) < shard.end:
        wanted = RowRange(shard.begin(index), shard.end, workers * shard.round_rows, shard.batch_size)
        for at in range(wanted.start, wanted.end, wanted.step):
            found.append((index, list(range(at, at + wanted.rows_at(at)))))
            index += workers
    while index < shard.batches:
        found.append((index, []))
        index += workers
    return found


def as_a_loader_takes(shard: Shard, workers: int, first: int = 0) -> list[list[int]]:
    """A rank's batches in the order in which a DataLoader asks its workers, one after the other."""
    of_workers = [positions_of(shard, worker, workers, first) for worker in range(workers)]
    numbered = sorted((batch for batches in of_workers for batch in batches), key=lambda one: one[0])
    assert [number for number, _ in numbered] == list(range(first, shard.batches))
    return [positions for _, positions in numbered]


shards = st.builds(
    lambda rows, size, world, start, last: (rows, size, min(world, rows), start % (rows + 1), last),
    st.integers(1, 400),
    st.integers(1, 50),
    st.integers(1, 16),
    st.integers(0, 400),
    st.sampled_from(["drop", "pad", "uneven"]),
)


@given(shards, st.integers(0, 8))
@settings(max_examples=400, deadline=None)
def test_every_row_once_and_in_one_order(drawn: tuple[int, int, int, int, str], more: int) -> None:
    rows, size, world, start, last = drawn
    if last == "drop" and rows < size * world:
        with pytest.raises(ff.InvalidArgumentError, match="no full round"):
            Shard(rows, size, start, 0, world, last)
        return
    workers = max(1, more)
    ranks = [as_a_loader_takes(Shard(rows, size, start, rank, world, last), workers) for rank in range(world)]
    longest = max(len(batches) for batches in ranks)
    rounds = [batches[turn] for turn in range(longest) for batches in ranks if turn < len(batches)]
    read = [position for batch in rounds for position in batch]
    end = Shard(rows, size, start, 0, world, last).end
    assert read == list(range(start, end))
    if last == "drop":
        assert rows - end < size * world
        assert all(len(batch) == size for batch in rounds)
    else:
        assert end == rows
    if last != "uneven":
        assert len({len(batches) for batches in ranks}) == 1


@given(shards, st.integers(0, 8), st.integers(0, 8), st.integers(1, 16), st.data())
@settings(max_examples=400, deadline=None)
def test_any_number_goes_on_where_any_other_stopped(
    drawn: tuple[int, int, int, int, str], workers: int, later: int, world_later: int, data: st.DataObject
) -> None:
    rows, size, world, _, _ = drawn
    world_later = min(world_later, rows)
    ranks = [Shard(rows, size, 0, rank, world) for rank in range(world)]
    done = data.draw(st.integers(0, max(shard.batches for shard in ranks)))
    read = [
        position for shard in ranks for batch in as_a_loader_takes(shard, max(1, workers))[:done] for position in batch
    ]
    position = ranks[0].consumed(done)
    assert sorted(read) == list(range(position))
    rest = [
        place
        for rank in range(world_later)
        for batch in as_a_loader_takes(Shard(rows, size, position, rank, world_later), max(1, later))
        for place in batch
    ]
    assert sorted(rest) == list(range(position, rows))


@given(shards, st.integers(1, 8), st.data())
@settings(max_examples=200, deadline=None)
def test_a_worker_goes_on_with_its_next_batch(
    drawn: tuple[int, int, int, int, str], workers: int, data: st.DataObject
) -> None:
    rows, size, world, start, _ = drawn
    shard = Shard(rows, size, start, world - 1, world)
    for worker in range(workers):
        batches = positions_of(shard, worker, workers)
        done = data.draw(st.integers(0, len(batches)))
        following = batches[done - 1][0] + 1 if done else 0
        assert positions_of(shard, worker, workers, following) == batches[done:]


def test_what_makes_no_share_is_refused() -> None:
    shard = Shard(10, 3)
    for changed, message in (
        ({"last": "stop"}, "one of 'drop', 'pad', 'uneven'"),
        ({"rank": 2, "world_size": 2}, "rank 2 is none of 2 ranks"),
        ({"batch_size": 0}, "at least 1"),
        ({"world_size": 11}, "11 ranks are more than the 10 rows"),
        ({"last": "drop", "batch_size": 11}, "no full round"),
    ):
        with pytest.raises(ff.InvalidArgumentError, match=message):
            replace(shard, **changed)  # type: ignore[arg-type]
