"""Names for a producer that is not ours: librdkafka's, by way of confluent-kafka."""

import json
import os

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

servers = json.loads(os.environ["KAFKA_OPTIONS"])
producers = {}
admin = AdminClient(servers)


def create_topic(topic, partitions):
    for future in admin.create_topics([NewTopic(topic, partitions, 1)]).values():
        future.result()


def delete_topic(topic):
    for future in admin.delete_topics([topic]).values():
        future.result()


def send(topic, partition, values, compression):
    if compression not in producers:
        producers[compression] = Producer(
            {**servers, "compression.type": compression, "linger.ms": 5}
        )
    producer = producers[compression]
    offsets, errors = [], []

    def delivered(error, message):
        if error is None:
            offsets.append(message.offset())
        else:
            errors.append(str(error))

    for value in values:
        value = None if value is None else value.encode()
        while True:
            try:
                producer.produce(
                    topic, value=value, partition=partition, on_delivery=delivered
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(30)
    if errors or left > 0:
        raise RuntimeError(f"{left} records are not sent: {errors[:1]}")
    return sorted(offsets)


def transact(topic, partition, values, ends):
    """Sends values in one transaction, which "commit" or "abort" ends."""
    producer = Producer({**servers, "transactional.id": "test"})
    producer.init_transactions(10)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value=value.encode(), partition=partition)
    if producer.flush(30) > 0:
        raise RuntimeError("records are not sent")
    if ends == "commit":
        producer.commit_transaction(10)
    else:
        producer.abort_transaction(10)


def committed(group, topic, partition):
    consumer = Consumer({**servers, "group.id": group})
    try:
        (found,) = consumer.committed([TopicPartition(topic, partition)], timeout=10)
        return None if found.offset < 0 else found.offset
    finally:
        consumer.close()


def read_all(topic, partitions):
    """The values of each partition, in their order, up to its end now."""
    reader = Consumer(
        {
            **servers,
            "group.id": "reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    found = []
    try:
        for partition in range(partitions):
            low, high = reader.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=10
            )
            values, offset = [], low
            reader.assign([TopicPartition(topic, partition, low)])
            # Some brokers list an end before that of their last batch: behind it, silence is the end.
            while messages := reader.consume(1000, timeout=20 if offset < high else 1):
                for message in messages:
                    if message.error() is not None:
                        raise RuntimeError(str(message.error()))
                    values.append(
                        None if message.value() is None else message.value().decode()
                    )
                    offset = message.offset() + 1
            if offset < high:
                raise RuntimeError(
                    f"partition {partition} ends at {high}, and {offset} does not come"
                )
            found.append(values)
    finally:
        reader.close()
    return found
