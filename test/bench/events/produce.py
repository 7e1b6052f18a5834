"""Writes events to a topic at a rate: `produce.py SERVERS RATE SECONDS [FIRST]`; FIRST is the number of the first event. Prints a line of JSON for each event of a probed user."""

import json
import sys
import time

from confluent_kafka import Producer

servers, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
producer = Producer({"bootstrap.servers": servers, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
kinds = ("view", "click", "completion")
probes, every = 20, max(1, rate // 20)
start = time.time()
for index in range(rate * seconds):
    ahead = start + index / rate - time.time()
    if ahead > 0.002:
        producer.poll(0)
        time.sleep(ahead)
    now = time.time()
    probe = index // every % probes if index % every == 0 else None
    user = (index * 7919) % 10_000 if probe is None else 1_000_000 + probe
    event = {
        "at": int(now * 1_000_000),
        "user_id": user,
        "item_id": (index * 31) % 5000,
        "category": f"category {index % 17}",
        "seconds": (index % 100) / 3,
        "sequence": first + index,
        "event_type": kinds[index % 3],
    }
    producer.produce("clicks", value=json.dumps(event), key=str(user))
    if probe is not None:
        print(json.dumps({"user": user, "sequence": first + index, "sentMs": now * 1000}), flush=True)
producer.flush()
print(json.dumps({"seconds": time.time() - start, "events": rate * seconds}), flush=True)
