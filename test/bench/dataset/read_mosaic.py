"""Epochs of the same rows as MDS, read by mosaicml-streaming: `read_mosaic.py PARQUET FOLDER`. Writes the folder first."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec, module_from_spec

import pyarrow.parquet as pq
import torch
from epochs import BATCH_ROWS, serve_epochs
from read_parquet import matrix_of
from torch.utils.data import DataLoader

# Its pictures and texts, which nothing here reads, want a torchvision that was built for this very torch: without the
# package's own first lines its base is imported alone.
found = find_spec("streaming")
sys.modules["streaming"] = module_from_spec(found)
from streaming.base import MDSWriter, StreamingDataset


def main(path: str, folder: str) -> None:
    """Writes a sample a row, one array of all numbers, and serves epochs."""
    rows = matrix_of(pq.read_table(path)).numpy()
    with MDSWriter(out=folder, columns={"features": f"ndarray:float32:{rows.shape[1]}"}) as writer:
        for row in rows:
            writer.write({"features": row})
    del rows

    @cache
    def loader(workers: int) -> DataLoader:
        # A dataset counts on as many workers as it first had, and wants a folder of its own.
        own = f"{folder}-{workers}"
        shutil.copytree(folder, own)
        samples = StreamingDataset(local=own, shuffle=True, shuffle_seed=7, batch_size=BATCH_ROWS)
        return DataLoader(samples, batch_size=BATCH_ROWS, num_workers=workers, persistent_workers=workers > 0)

    def read(workers: int) -> Iterator[torch.Tensor]:
        for batch in loader(workers):
            yield batch["features"]

    serve_epochs(read)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
