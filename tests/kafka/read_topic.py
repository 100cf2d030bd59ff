"""Prints the committed records of a topic, from its beginning to its end, as lines of JSON: partition, key, headers, value as text (null: none)."""

import json
import sys

from confluent_kafka import Consumer, KafkaError, TopicPartition

servers, topic, partitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = Consumer({
    "bootstrap.servers": servers,
    "group.id": "read-topic",
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
})
consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
at_end = set()
while len(at_end) < partitions:
    message = consumer.poll(60)
    if message is None:
        sys.exit("the broker does not answer")
    if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
        at_end.add(message.partition())
    elif message.error():
        sys.exit(str(message.error()))
    else:
        print(json.dumps({
            "partition": message.partition(),
            "key": message.key().decode(),
            "headers": {name: value.decode() for name, value in message.headers() or []},
            "value": None if message.value() is None else message.value().decode(),
        }))
consumer.close()
