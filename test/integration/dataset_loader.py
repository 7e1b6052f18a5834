"""A dataset through DataLoader and its like, against a running server: dataset_loader.py URL."""

from __future__ import annotations

import gc
import hashlib
import itertools
import sys
import warnings

import featherflight as ff
import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch.utils.data import DataLoader
from torch.utils.data._utils.pin_memory import pin_memory
from torchdata.stateful_dataloader import StatefulDataLoader

warnings.filterwarnings("ignore", message="This DataLoader will create")
warnings.filterwarnings("ignore", message="'set_vital' is deprecated")
warnings.filterwarnings("ignore", message="'pin_memory' argument is set as true but no accelerator is found")
ROWS = 20_000
FEATURES = ["user_profile:age", "user_profile:score", "user_profile:city", "user_profile:path"]


def refuses(code: str, words: str, work) -> None:
    try:
        work()
    except ff.FeatherflightError as error:
        assert error.code == code, error
        assert words in str(error), error
        return
    raise AssertionError(f"{words!r} was not refused")


class Pinnable:
    """Stands for a tensor where there is no accelerator: pinning gives another one."""

    def __init__(self, *, is_pinned: bool = False) -> None:
        self.is_pinned = is_pinned

    def pin_memory(self) -> Pinnable:
        return Pinnable(is_pinned=True)


def frame() -> pd.DataFrame:
    hours = pd.to_timedelta(np.arange(ROWS) % 100, unit="h")
    return pd.DataFrame(
        {
            "row": np.arange(ROWS),
            "user_id": np.arange(ROWS) * 7 % 1200,
            "event_timestamp": pd.Timestamp("2026-03-02", tz="UTC") + hours,
            "clicked": np.arange(ROWS) % 3 == 0,
        }
    )


def digest(batches) -> str:
    rows = hashlib.sha256()
    for batch in batches:
        for name in ("row", "features", "city"):
            rows.update(np.ascontiguousarray(batch[name].numpy()).tobytes())
    return rows.hexdigest()


def rows_of(batches) -> list[int]:
    return [row for batch in batches for row in batch["row"].tolist()]


def main(url: str) -> None:
    store = ff.connect(url, progress=False)
    split = {"random": {"parts": {"train": 0.9, "test": 0.1}, "seed": 3}}
    made = store.create_dataset("loaded", frame(), FEATURES, labels=["clicked"], split=split)
    assert made.reference == "loaded@1"
    assert store.create_dataset("loaded", frame(), FEATURES, labels=["clicked"], split=split).version == 1
    dataset = store.dataset("loaded")
    assert (dataset.id, dataset.labels, dataset.rows) == (made.id, ["clicked"], ROWS)
    assert "loaded@1" in store.datasets().names
    train = dataset.splits["train"]
    assert "train" in repr(dataset)
    assert "<table" in dataset._repr_html_()

    # Against the training set itself, row by row.
    truth = store.get_historical_features(frame(), FEATURES).to_pandas().set_index("row")
    for name in ("train", "test"):
        saved = dataset.to_pandas(split=name).set_index("row")
        assert len(saved) == dataset.splits[name]
        pd.testing.assert_frame_equal(saved, truth.loc[saved.index])
    assert dataset.to_polars(split="test", columns=["age", "row"]).columns == ["age", "row"]

    def batches(**options):
        return dataset.torch(1000, split="train", columns=["row"], seed=7, **options)

    # What a batch holds.
    first = next(iter(batches(pad={"path": 3}, mask=True)))
    vocabulary = dataset.vocabulary("city")
    order = rows_of(batches())
    assert sorted(order) == sorted(dataset.to_pandas(split="train", columns=["row"])["row"])
    assert order != sorted(order)
    expected = truth.loc[first["row"].numpy()]
    age_and_score = expected[["age", "score"]].to_numpy(dtype="float64", na_value=np.nan)
    np.testing.assert_array_equal(first["features"].numpy(), age_and_score.astype("float32"))
    np.testing.assert_array_equal(first["features__mask"].numpy(), ~np.isnan(age_and_score))
    assert [vocabulary[at] for at in first["city"]] == [None if pd.isna(city) else city for city in expected["city"]]
    assert first["clicked"].dtype == torch.bool
    assert first["clicked"].tolist() == expected["clicked"].tolist()
    paths = [list(path)[:3] if path is not None else [] for path in expected["path"]]
    assert first["path"].tolist() == [path + [0] * (3 - len(path)) for path in paths]
    assert first["path__length"].tolist() == [len(path) for path in paths]
    ragged = next(iter(batches()))
    starts = ragged["path__offsets"].tolist()
    assert [ragged["path"][a:b].tolist() for a, b in itertools.pairwise(starts)] == [
        list(path) if path is not None else [] for path in expected["path"]
    ]
    alone = next(iter(batches(matrix=None)))
    assert alone["age"].dtype == torch.int64
    assert alone["score"].dtype == torch.float32

    # One order for any number of workers, however they are started.
    whole = digest(batches())
    assert digest(batches()) == whole
    assert digest(batches(epoch=1)) != whole
    assert digest(dataset.torch(1000, split="train", columns=["row"], seed=8)) != whole
    for workers, how in ((0, None), (1, "fork"), (3, "fork"), (2, "spawn")):
        options = {"num_workers": workers, "multiprocessing_context": how} if how else {}
        assert digest(DataLoader(batches(), batch_size=None, **options)) == whole, (workers, how)
        gc.collect()
    # Epochs advance in a loader, with workers that stay too.
    for persistent in (False, True):
        loader = batches().loader(num_workers=2, persistent_workers=persistent)
        assert digest(loader) == whole
        assert digest(loader) == digest(batches(epoch=1))
        del loader
        gc.collect()

    # Going on: with another number of workers, after any batch.
    for stop, workers, later in ((1, 0, 2), (5, 2, 0), (11, 3, 1)):
        loader = batches().loader(num_workers=workers)
        seen, state = [], None
        for number, batch in enumerate(loader, 1):
            seen += batch["row"].tolist()
            state = loader.state_dict()
            assert state == batches().state_dict(after=batch)
            if number == stop:
                break
        del loader
        again = batches()
        again.load_state_dict(state)
        assert seen + rows_of(again.loader(num_workers=later)) == order, (stop, workers, later)
        gc.collect()
    # torchdata's own snapshots.
    for workers in (0, 2):
        loader = StatefulDataLoader(batches(), batch_size=None, num_workers=workers)
        seen = []
        for number, batch in enumerate(loader, 1):
            seen += batch["row"].tolist()
            if number == 6:
                snapshot = loader.state_dict()
                break
        del loader
        again = StatefulDataLoader(batches(), batch_size=None, num_workers=workers)
        again.load_state_dict(snapshot)
        assert seen + rows_of(again) == order, workers
        gc.collect()

    # Broken off: the next iteration begins where that one began, and the state goes on.
    for make in (
        lambda: batches().loader(),
        lambda: batches().loader(num_workers=2),
        lambda: batches().loader(num_workers=2, persistent_workers=True),
        lambda: dataset.numpy(1000, split="train", columns=["row"], seed=7),
    ):
        loader = make()
        for number, batch in enumerate(loader, 1):
            if number == 3:
                break
        state = loader.state_dict()
        assert state["position"] == 3000
        coming = iter(loader)
        assert loader.state_dict()["position"] == 0
        assert next(coming)["row"].tolist() == order[:1000]
        del coming
        loader.load_state_dict(state)
        assert [row for batch in itertools.islice(loader, 2) for row in batch["row"].tolist()] == order[3000:5000]
        assert rows_of(loader) == order[3000:]
        assert loader.state_dict() == state | {"epoch": 1, "position": 0}
        del loader, batch
        gc.collect()

    # Pinned memory: a DataLoader asks the batch for it, and it keeps its place. Without an accelerator torch pins nothing.
    batch = next(iter(batches()))
    stand_in = type(batch)({name: Pinnable() for name in batch})
    vars(stand_in).update(vars(batch))
    pinned = pin_memory(stand_in)
    assert isinstance(pinned, ff.Batch)
    assert [tensor.is_pinned for tensor in pinned.values()] == [True] * len(batch)
    assert batches().state_dict(after=pinned) == batches().state_dict(after=batch)
    if torch.accelerator.is_available():
        assert all(tensor.is_pinned() for tensor in pin_memory(batch).values())
    for workers in (0, 2):
        loader = batches().loader(num_workers=workers, pin_memory=True)
        assert digest(itertools.islice(loader, 3)) == digest(itertools.islice(batches(), 3))
        assert loader.state_dict() == batches().state_dict() | {"position": 3000}
        del loader
        gc.collect()

    # NumPy, and ranks without torch.distributed.
    arrays = dataset.numpy(1000, split="train", columns=["row"], seed=7)
    assert [row for batch in arrays for row in batch["row"].tolist()] == order
    ranks = [[batch["row"].tolist() for batch in batches(rank=rank, world_size=4)] for rank in range(4)]
    rounds = [batch for turn in zip(*ranks, strict=True) for batch in turn]
    flat = [row for batch in rounds for row in batch]
    assert flat[:train] == order
    assert flat[train:] == order[: len(flat) - train]
    dropped = [len(list(batches(rank=rank, world_size=4, last="drop"))) for rank in range(4)]
    assert dropped == [train // 4000] * 4

    # What would go on at another place is refused.
    batch = next(iter(batches()))
    moved = type(batch)({name: tensor.clone() for name, tensor in batch.items()})
    assert "moved or changed" in repr(moved)
    refuses("INVALID_ARGUMENT", "this batch has lost its", lambda: batches().state_dict(after=moved))
    state = batches().state_dict(after=batch)
    refuses("INVALID_ARGUMENT", "window_blocks", lambda: batches(window_blocks=3).load_state_dict(state))
    loader = StatefulDataLoader(batches(), batch_size=None)
    next(iter(loader))
    snapshot = loader.state_dict()
    again = StatefulDataLoader(dataset.torch(500, split="train", columns=["row"], seed=7), batch_size=None)
    again.load_state_dict(snapshot)
    refuses("INVALID_ARGUMENT", "taken with batch_size 1000 and is loaded with 500", lambda: next(iter(again)))
    refuses("INVALID_ARGUMENT", "in_order", lambda: batches().loader(in_order=False))
    # The epoch of a state goes on where the state says, also where the loop sets it.
    resumed = batches()
    resumed.load_state_dict(state)
    resumed.set_epoch(0)
    assert rows_of(resumed) == order[1000:]
    resumed.set_epoch(1)
    assert len(rows_of(resumed)) == train

    # Bad input.
    state = batches().state_dict()
    refuses("INVALID_ARGUMENT", 'pad: "age" is no list', lambda: batches(pad={"age": 3}))
    refuses("INVALID_ARGUMENT", "it is a finite number", lambda: batches(fill=float("nan")))
    refuses(
        "INVALID_ARGUMENT",
        "this state is of seed 7, and here it is 8",
        lambda: dataset.torch(split="train", seed=8).load_state_dict(state),
    )
    refuses(
        "INVALID_ARGUMENT",
        "this state is of split 'train'",
        lambda: dataset.torch(split="test", seed=7).load_state_dict(state),
    )
    refuses("INVALID_ARGUMENT", "say which `split`", lambda: dataset.torch())
    refuses("NOT_FOUND", 'no column "agee"', lambda: dataset.torch(split="train", features=["agee"]))
    refuses(
        "INVALID_ARGUMENT",
        'column "event_timestamp"',
        lambda: dataset.torch(split="train", features=["event_timestamp"]),
    )
    refuses("INVALID_ARGUMENT", "more than the", lambda: dataset.torch(split="train", rank=0, world_size=train + 1))
    refuses(
        "INVALID_ARGUMENT",
        "is no integer, which a matrix of int32 holds",
        lambda: dataset.torch(split="train", features=["score"], dtype="int32"),
    )
    odd_frame = frame().head(100)
    odd_frame["large"] = np.where(np.arange(100) == 99, 2**24 + 1, 1)
    odd_frame["lacking"] = pd.array([1] * 99 + [None], dtype="Int64")
    odd_frame["holes"] = [[1, 2]] * 99 + [[1, None]]
    odd_frame["path__offsets"] = 1
    odd = store.create_dataset("odd", odd_frame, FEATURES)
    refuses("INVALID_ARGUMENT", 'would be named "path__offsets"', lambda: odd.torch(columns=["path__offsets"]))
    assert "path__length" in next(iter(odd.torch(columns=["path__offsets"], pad={"path": 2})))
    refuses("INVALID_ARGUMENT", "that float32 has not the digits for: ask for float64", lambda: odd.torch(features=["large"]))
    refuses("INVALID_ARGUMENT", 'column "lacking" (int64) has 1 nulls', lambda: odd.torch(labels=["lacking"]))
    refuses("INVALID_ARGUMENT", "has lists of integers with nulls in them", lambda: odd.torch(columns=["holes"]))
    assert next(iter(odd.torch(features=["large"], dtype="float64", shuffle=False, batch_size=100)))["features"].max() == 2**24 + 1
    other = store.create_dataset("other", frame().head(100), FEATURES)
    refuses(
        "INVALID_ARGUMENT", "this state is of dataset 'loaded@1'", lambda: other.torch(seed=7).load_state_dict(state)
    )
    reader = other.to_batches(batch_rows=10)
    assert isinstance(reader, pa.RecordBatchReader)
    other.delete(force=True)
    refuses("NOT_FOUND", "dataset other@1 was deleted at", lambda: other.torch())
    store.close()
    print("done")


if __name__ == "__main__":
    main(sys.argv[1])
