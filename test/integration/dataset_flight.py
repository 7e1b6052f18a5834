"""`get_dataset` as any Flight client uses it: dataset_flight.py URL OTHER_URL STORAGE (two servers over one storage)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import featherflight as ff
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.flight as fl

ROWS = 10_000


def main(url: str, other: str, storage: str) -> None:
    store = ff.connect(url, progress=False)
    frame = pd.DataFrame({"row": np.arange(ROWS), "user_id": np.arange(ROWS) % 800})
    frame["event_timestamp"] = pd.Timestamp("2026-03-03", tz="UTC")
    dataset = store.create_dataset("flown", frame, ["user_profile:age", "user_profile:city"])
    client, elsewhere = fl.connect(url), fl.connect(other)

    def ask(**options) -> fl.FlightInfo:
        command = {"type": "get_dataset", "dataset": "flown", **options}
        return client.get_flight_info(fl.FlightDescriptor.for_command(json.dumps(command).encode()))

    def read(endpoint: fl.FlightEndpoint, by: fl.FlightClient = client) -> list[tuple[int, pa.RecordBatch]]:
        chunks = list(by.do_get(endpoint.ticket))
        return [(json.loads(chunk.app_metadata.to_pybytes())["position"], chunk.data) for chunk in chunks]

    def rows(batches: list[tuple[int, pa.RecordBatch]]) -> list[int]:
        return [row for _, batch in batches for row in batch.column("row").to_pylist()]

    # In the frame's order, whole.
    info = ask()
    facts = json.loads(info.app_metadata)
    assert (info.total_records, info.ordered, facts["dataset"], facts["id"]) == (ROWS, True, "flown@1", dataset.id)
    (endpoint,) = info.endpoints
    assert rows(read(endpoint)) == list(range(ROWS))

    # Shuffled, in shards: any server answers any of them.
    shuffled = rows(read(ask(seed=3, columns=["row"]).endpoints[0]))
    assert sorted(shuffled) == list(range(ROWS))
    assert shuffled != list(range(ROWS))
    shards = ask(seed=3, columns=["row"], batch_rows=256, shard_rows=1000).endpoints
    assert len(shards) == 14
    assert json.loads(shards[1].app_metadata) == {"start": 768, "end": 1536}
    assert [row for shard in shards for row in rows(read(shard, elsewhere))] == shuffled

    # Every third batch, from a position on.
    wanted = ask(seed=3, columns=["row"], batch_rows=100, start=250, step=300)
    batches = read(wanted.endpoints[0])
    assert [position for position, _ in batches] == list(range(250, ROWS, 300))
    assert wanted.total_records == sum(batch.num_rows for _, batch in batches)
    assert rows(batches) == [row for at in range(250, ROWS, 300) for row in shuffled[at : at + 100]]

    # A matrix, with what fills nulls.
    dense = [{"name": "m", "columns": ["age", "city"], "type": "float64", "mask": True}]
    matrix = read(ask(dense=dense).endpoints[0])[0][1]
    assert matrix.schema.field("m").type == pa.list_(pa.field("item", pa.float64(), nullable=False), 2)
    assert matrix.column("m").null_count == 0
    expected = dataset.to_pandas(columns=["age"])["age"].to_numpy(dtype="float64")[: matrix.num_rows]
    assert matrix.column("m").flatten().to_numpy().reshape(-1, 2)[:, 0].tolist() == expected.tolist()

    for options, words in (
        ({"columns": ["agee"]}, 'no column "agee"'),
        ({"split": "test"}, 'no split "test"'),
        ({"start": ROWS + 1}, "are not within the 10000 rows"),
        ({"step": 5}, "rows would come twice"),
        ({"dense": [{"name": "m", "columns": ["event_timestamp"]}]}, 'column "event_timestamp"'),
        ({"window_blocks": 300}, "window_blocks"),
        ({"dataset": "flow"}, "flown"),
    ):
        try:
            ask(**options)
        except (pa.ArrowInvalid, KeyError, fl.FlightError) as error:
            assert words in str(error), error
        else:
            raise AssertionError(f"{options} were not refused")

    # A file that is not what was saved is named, and so is a version that is gone.
    blocks = Path(storage) / "datasets/flown/1/blocks/all.arrow"
    whole = blocks.read_bytes()
    at = whole.index(np.arange(5000, 5010).tobytes())
    blocks.write_bytes(whole[:at] + b"\1" + whole[at + 1 :])
    assert "blocks/all.arrow was changed or damaged in block 1" in refusal(lambda: read(endpoint, elsewhere))
    blocks.write_bytes(whole[:-1])
    assert "blocks/all.arrow of dataset flown@1 has" in refusal(lambda: read(endpoint))
    assert "blocks/all.arrow" in lost(dataset.to_arrow)
    assert "blocks/all.arrow" in lost(lambda: list(dataset.torch(64)))
    city = Path(storage) / "datasets/flown/1/vocabulary/city.parquet"
    text = city.read_bytes()
    city.write_bytes(text[:-1] + b"\0")
    assert "vocabulary/city.parquet of dataset flown@1 was changed" in lost(lambda: dataset.vocabulary("city"))
    city.unlink()
    assert "vocabulary/city.parquet of dataset flown@1 is gone" in lost(lambda: dataset.vocabulary("city"))
    city.write_bytes(text)
    blocks.unlink()
    assert "blocks/all.arrow" in lost(lambda: list(dataset.torch(64)))
    assert "blocks/all.arrow of dataset flown@1 is gone" in refusal(lambda: read(endpoint))
    dataset.delete(force=True)
    assert "dataset flown@1 was deleted at" in refusal(lambda: read(endpoint))
    assert "dataset flown@1 was deleted at" in refusal(lambda: read(endpoint, elsewhere))
    store.close()
    print("done")


def lost(work) -> str:
    try:
        work()
    except ff.DataLossError as error:
        return str(error)
    raise AssertionError("nothing was refused")


def refusal(work) -> str:
    try:
        work()
    except (fl.FlightError, pa.ArrowException, KeyError) as error:
        return str(error)
    raise AssertionError("nothing was refused")


if __name__ == "__main__":
    main(*sys.argv[1:])
