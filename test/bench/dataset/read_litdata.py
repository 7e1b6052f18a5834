"""Epochs of the same rows from a folder of Parquet, read by litdata: `read_litdata.py FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache

import litdata
import torch
from epochs import BATCH_ROWS, serve_epochs
from litdata.streaming.item_loader import ParquetLoader


def main(folder: str) -> None:
    """Indexes the folder as litdata asks, and serves epochs."""
    litdata.index_parquet_dataset(folder)

    @cache
    def loader(workers: int) -> litdata.StreamingDataLoader:
        samples = litdata.StreamingDataset(folder, item_loader=ParquetLoader(), shuffle=True, seed=7)
        # Forked workers are refused: Polars, which reads the files, does not live through a fork.
        more = {"persistent_workers": True, "multiprocessing_context": "spawn"} if workers > 0 else {}
        return litdata.StreamingDataLoader(samples, batch_size=BATCH_ROWS, num_workers=workers, **more)

    def read(workers: int) -> Iterator[torch.Tensor]:
        for batch in loader(workers):
            columns = batch.values() if isinstance(batch, dict) else batch
            # What went through Python's floats came as float64.
            yield torch.stack(list(columns), dim=1).to(torch.float32)

    serve_epochs(read)


if __name__ == "__main__":
    main(sys.argv[1])
