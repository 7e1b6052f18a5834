"""Which of how many processes this one is."""

from __future__ import annotations

import sys

from featherflight.errors import InvalidArgumentError


def distributed_rank(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """The rank given, else torch.distributed's where that is initialised, else the only one."""
    if (rank is None) != (world_size is None):
        raise InvalidArgumentError("give both `rank` and `world_size`, or neither")
    if rank is not None and world_size is not None:
        return rank, world_size
    # Whoever has initialised it has imported it.
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1
