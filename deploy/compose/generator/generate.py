#!/usr/bin/env python3
"""Makes up a company whose log ends in some days' time, and tells it to Kafka as it happens.

`make` moves the dates of what `bellwether simulate` writes: what lies before now becomes history.jsonl.zst, for `journal import`, and the rest
to-come.jsonl. `play` writes that rest to a topic, each event at its time, and remembers how far it is.
"""

import argparse
import json
import os
import re
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

TIME = re.compile(r'"(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\d(?:\.\d+)?Z)?"')


def time_of(line):
    return datetime.fromisoformat(json.loads(line)["time"].replace("Z", "+00:00"))


def moved(line, days):
    """Whole days, so that times of day and plain dates stay right."""

    def later(found):
        date = datetime.fromisoformat(found[1]) + timedelta(days=days)
        return f'"{date:%Y-%m-%d}{found[2] or ""}"'

    return TIME.sub(later, line)


def lines_of(path):
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE, text=True) as process:
        yield from process.stdout


def make(arguments):
    directory = arguments.directory
    if (directory / "to-come.jsonl").exists():
        print("the company is there already")
        return
    numbers = [f"--customers={arguments.customers}", f"--months={arguments.months}", f"--seed={arguments.seed}"]
    subprocess.run(["bellwether", "simulate", *numbers, "--out", directory], check=True, stdout=subprocess.DEVNULL)
    log, now = directory / "events.jsonl.zst", datetime.now(timezone.utc)
    last = max(time_of(line) for line in lines_of(log))
    days = (now - last).days + arguments.to_come
    history = subprocess.Popen(["zstd", "-qf", "-o", directory / "history.jsonl.zst"], stdin=subprocess.PIPE, text=True)
    with open(directory / "to-come.part", "w") as to_come:
        rest = sorted(((time_of(line), line) for line in split(log, days, now, history.stdin)), key=lambda pair: pair[0])
        to_come.writelines(line for _, line in rest)
    history.stdin.close()
    if history.wait() != 0:
        raise SystemExit("zstd failed")
    os.replace(directory / "to-come.part", directory / "to-come.jsonl")
    print(f"{len(rest):,} events are to come in {arguments.to_come} days")


def split(log, days, now, history):
    """Writes what lies before now to `history`, and gives the rest."""
    for line in lines_of(log):
        line = moved(line, days)
        if time_of(line) < now:
            history.write(line)
        else:
            yield line


def play(arguments):
    told = arguments.directory / "told"
    done = int(told.read_text()) if told.exists() else 0
    command = ["kcat", "-P", "-b", arguments.brokers, "-t", arguments.topic, "-X", "linger.ms=100"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as kcat, open(arguments.directory / "to-come.jsonl") as events:
        for number, line in enumerate(events, start=1):
            if number <= done:
                continue
            time.sleep(max(0.0, (time_of(line) - datetime.now(timezone.utc)).total_seconds()))
            kcat.stdin.write(line)
            kcat.stdin.flush()
            # An event that is told again after a crash is a duplicate, which is dropped by its id.
            told.write_text(str(number))
    if kcat.returncode != 0:
        raise SystemExit("kcat failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make", help="make up the company, once")
    making.add_argument("--customers", type=int, default=2000)
    making.add_argument("--months", type=int, default=18)
    making.add_argument("--seed", type=int, default=1)
    making.add_argument("--to-come", type=int, default=30, help="days of the log that lie ahead")
    making.set_defaults(run=make)
    playing = commands.add_parser("play", help="tell what is to come, each event at its time")
    playing.add_argument("--brokers", required=True)
    playing.add_argument("--topic", required=True)
    playing.set_defaults(run=play)
    for command in (making, playing):
        command.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    arguments.run(arguments)


main()
