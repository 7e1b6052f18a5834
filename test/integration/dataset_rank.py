"""One rank of a training job: dataset_rank.py URL RANK WORLD PORT STATE|- BATCHES|-

Reads `ranked` in step with the others, as training does, and says after each batch what it read and where to go on.
After so many BATCHES it waits until its standard input ends.
"""

from __future__ import annotations

import json
import os
import sys

import featherflight as ff
import torch
import torch.distributed as dist


def main(url: str, rank: str, world: str, port: str, state: str, most: str) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    dist.init_process_group("gloo", rank=int(rank), world_size=int(world))
    with ff.connect(url, progress=False) as store:
        batches = store.dataset("ranked").torch(64, columns=["row"], seed=5)
        if state != "-":
            batches.load_state_dict(json.loads(state))
        loader = batches.loader(num_workers=1 if int(rank) % 2 else 0)
        for at, batch in enumerate(loader, start=1):
            rows = batch["row"][: batch.rows - batch.padding].tolist()
            said = {"position": batch.position, "rows": rows, "state": loader.state_dict()}
            # Gradients are exchanged here: nobody is more than one batch ahead.
            dist.all_reduce(torch.tensor([1.0]))
            print(json.dumps(said), flush=True)
            if str(at) == most:
                sys.stdin.read()
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
