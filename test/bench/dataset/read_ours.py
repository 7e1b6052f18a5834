"""Epochs of a saved dataset from a running server: `read_ours.py URL DATASET shuffled|in-order`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache

import featherflight as ff
import torch
from epochs import BATCH_ROWS, serve_epochs
from featherflight._datasets.torch import TorchLoader


def main(url: str, name: str, order: str) -> None:
    """Serves epochs."""
    with ff.connect(url, progress=False) as store:
        dataset = store.dataset(name)

        @cache
        def loader(workers: int) -> TorchLoader:
            batches = dataset.torch(BATCH_ROWS, seed=7, shuffle=order == "shuffled")
            return batches.loader(workers, persistent_workers=workers > 0)

        def read(workers: int) -> Iterator[torch.Tensor]:
            for batch in loader(workers):
                yield batch["features"]

        serve_epochs(read)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
