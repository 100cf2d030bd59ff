"""A subscriber in Python: acts on each signal of Bellwether once. Usage: subscribe.py BROKERS TOPIC GROUP HANDLED_FILE

Needs `pip install confluent-kafka` and nothing else. Start as many with one GROUP as the topic has partitions; each with its own HANDLED_FILE.
"""
import json
import os
import sys

from confluent_kafka import Consumer, KafkaException

brokers, topic, group, handled_file = sys.argv[1:5]
consumer = Consumer({
    "bootstrap.servers": brokers,
    "group.id": group,
    "isolation.level": "read_committed",  # what was aborted never happened
    "auto.offset.reset": "earliest",
    "enable.auto.offset.store": False,  # commit what was handled, not what was read
})
consumer.subscribe([topic])
# A record may come again after a crash. In earnest, keep the id as a unique key in the database that the work changes.
handled = set(open(handled_file).read().split()) if os.path.exists(handled_file) else set()
try:
    with open(handled_file, "a") as done:
        while True:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            headers = {name: value.decode() for name, value in message.headers()}
            if headers["ce_id"] not in handled:
                signal = json.loads(message.value())
                # The work: `ce_type` tells what happened to the episode, `data` why. Ignore fields that you do not know.
                print(headers["ce_id"], headers["ce_type"], message.key().decode(), signal["rule"], signal["severity"], flush=True)
                print(headers["ce_id"], file=done, flush=True)
                handled.add(headers["ce_id"])
            consumer.store_offsets(message)
finally:
    consumer.close()  # commits, and leaves the group
