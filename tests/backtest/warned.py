"""What live figures of warnings must come to, from the events and the signals of a log alone: churns, those caught, also by rule, and those
warned of so many days ahead.

    warned.py EVENTS.jsonl[.zst] SIGNALS.jsonl"""

import json
import sys

from judge import DAY, Judge, read_episodes, read_events

HORIZON = 90 * DAY

customers, start, end = read_events(sys.argv[1], by_end=False)
judge = Judge(customers, start, end, HORIZON, start)
at_risk = [episode for episode in read_episodes(sys.argv[2]) if episode["kind"] == "at_risk"]
by_rule = {rule: len(judge.warned_of([one for one in at_risk if one["rule"] == rule])) for rule in {one["rule"] for one in at_risk}}
print(json.dumps({
    "churned": len(judge.churns),
    "caught": len(judge.warned_of(at_risk)),
    "caught_by_rule": by_rule,
    "warned": judge.all_figures(at_risk)["warned"],
}))
