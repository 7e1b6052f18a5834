"""Epochs of a Parquet file, read by pyarrow and batched by hand: `read_parquet.py FILE in-order|permuted|in-memory`.

`in-order` goes through the file's row groups, `permuted` reads the whole file and takes batches of a permutation of all
rows, and `in-memory` is the same without reading the file again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from epochs import BATCH_ROWS, serve_epochs
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, RandomSampler, get_worker_info


def matrix_of(table: pa.Table | pa.RecordBatch) -> torch.Tensor:
    """Columns side by side, each written to its place once."""
    matrix = np.empty((table.num_rows, table.num_columns), dtype=np.float32)
    for index, column in enumerate(table.columns):
        matrix[:, index] = column.to_numpy()
    return torch.from_numpy(matrix)


class InOrder(IterableDataset):
    """Batches as they lie; workers share the row groups."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __iter__(self) -> Iterator[torch.Tensor]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info is not None else (0, 1)
        with pq.ParquetFile(self._path) as file:
            groups = range(worker, file.num_row_groups, workers)
            for batch in file.iter_batches(BATCH_ROWS, row_groups=groups):
                yield matrix_of(batch)


class InMemory(Dataset):
    """Rows by their numbers; forked workers share the matrix."""

    def __init__(self, path: str) -> None:
        self._matrix = matrix_of(pq.read_table(path))

    def __len__(self) -> int:
        return len(self._matrix)

    def __getitem__(self, rows: list[int]) -> torch.Tensor:
        return self._matrix[torch.tensor(rows)]


def permuted(rows: InMemory, workers: int, *, stay: bool) -> DataLoader:
    """Batches of a permutation of all rows, of another one each epoch."""
    order = BatchSampler(RandomSampler(rows), BATCH_ROWS, False)
    stays = stay and workers > 0
    return DataLoader(rows, sampler=order, batch_size=None, num_workers=workers, persistent_workers=stays)


def main(path: str, kind: str) -> None:
    """Serves epochs."""
    if kind == "in-order":
        rows = InOrder(path)
        serve_epochs(
            cache(
                lambda workers: DataLoader(rows, batch_size=None, num_workers=workers, persistent_workers=workers > 0)
            )
        )
    elif kind == "permuted":
        serve_epochs(lambda workers: permuted(InMemory(path), workers, stay=False))
    else:
        held = InMemory(path)
        serve_epochs(cache(lambda workers: permuted(held, workers, stay=True)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
