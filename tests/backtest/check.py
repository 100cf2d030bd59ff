"""Judges the alarms of a log anew, from the events and the signals alone, and compares the figures with those of a backtest.

    check.py EVENTS.jsonl.zst SIGNALS.jsonl OBSERVATIONS.csv REPORT.json

Of the product's own figures it takes the health scores only, as the observations give them. Exits with 1 and says what differs."""

import csv
import io
import json
import sys
from collections import defaultdict
from datetime import datetime, timezone

import numpy
import zstandard
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

DAY = 86_400_000
HORIZON, MIN_LEAD, WARM_UP, LONGEST = 90 * DAY, 14 * DAY, 28 * DAY, 180 * DAY
NOTICE_DRIVEN = {"cancel-page-visit", "notice-given"}
NEVER = float("inf")


def milliseconds(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


class Customer:
    def __init__(self, first):
        self.since, self.created = first, False
        self.subscriptions, self.notice = {}, None
        self.spell, self.spells, self.churns = None, [], []

    def fold(self, kind, time, data):
        if kind == "account.created":
            self.since = time if not self.created else min(self.since, time)
            self.created = True
        if kind.startswith("subscription."):
            known = self.subscriptions.setdefault(data["subscription"], {"mrr": 0, "runs": False})
            if kind == "subscription.started" and self.notice is not None and self.notice < time:
                self.notice = None
            known["runs"] = kind != "subscription.ended"
            known["mrr"] = data.get("mrr_minor", known["mrr"])
        elif kind == "cancellation.requested":
            self.notice = time
        elif kind == "cancellation.withdrawn":
            self.notice = None
        else:
            return
        runs = [one for one in self.subscriptions.values() if one["runs"]]
        if self.spell is None and sum(one["mrr"] for one in runs) > 0:
            self.spell = time
        elif self.spell is not None and not runs:
            self.leave(time, time)

    def leave(self, until, gone):
        self.spells.append((self.spell, until))
        churn = self.notice if self.notice is not None and self.notice >= self.spell else gone
        if churn != NEVER:
            self.churns.append((churn, gone))
        self.spell = None

    def is_customer(self, time):
        served = any(begin <= time < until for begin, until in self.spells)
        return served and not any(churn <= time <= max(churn, gone) for churn, gone in self.churns)


def read_events(path):
    customers, end, start = {}, 0, None
    with open(path, "rb") as compressed:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(compressed), encoding="utf-8"):
            event = json.loads(line)
            time = milliseconds(event["time"])
            start = time if start is None else start
            end = max(end, time)
            if event["subject"] == "_company":
                continue
            customer = customers.setdefault(event["subject"], Customer(time))
            if event["type"].startswith(("subscription.", "cancellation.", "account.")):
                customer.fold(event["type"], time, event.get("data", {}))
    for customer in customers.values():
        if customer.spell is not None:
            customer.leave(end, NEVER)
    return customers, start, end


def read_episodes(path):
    episodes, open_ones = [], {}
    for line in open(path, encoding="utf-8"):
        signal = json.loads(line)
        data, time = signal["data"], milliseconds(signal["time"])
        transition = signal["type"].split(".")[2]
        key = (signal["subject"], data["rule"], data["object"])
        if transition == "raised":
            episode = {"customer": key[0], "rule": key[1], "object": key[2], "kind": data["kind"], "raised": time, "closed": NEVER}
            episodes.append(episode)
            open_ones[key] = episode
        elif transition in ("cleared", "expired", "resolved"):
            open_ones.pop(key)["closed"] = time
    return episodes


def outcome(episode, customer, end, horizon):
    ahead = [churn for churn, gone in customer.churns if max(churn, gone) >= episode["raised"]]
    if not ahead:
        return ("censored" if episode["raised"] + horizon > end else "false"), None
    lead = ahead[0] - episode["raised"]
    if lead < MIN_LEAD:
        return "late", None
    if lead > horizon:
        return "false", None
    return ("true", ahead[0]) if episode["closed"] > ahead[0] - MIN_LEAD else ("withdrawn", None)


def judge(episodes, customers, end, months, horizon=HORIZON):
    counts, earliest, last_end, flaps = defaultdict(int), {}, {}, 0
    for episode in episodes:
        what, churn = outcome(episode, customers[episode["customer"]], end, horizon)
        counts[what] += 1
        if churn is not None:
            key = (episode["customer"], churn)
            earliest[key] = min(earliest.get(key, NEVER), episode["raised"])
        key = (episode["customer"], episode["rule"], episode["object"])
        flaps += key in last_end and episode["raised"] - last_end[key] <= 7 * DAY
        last_end[key] = episode["closed"]
    by_customer = defaultdict(list)
    for episode in episodes:
        by_customer[episode["customer"]].append(episode)
    leads, warned, churns, in_alarm = [], [], 0, 0
    for name, customer in customers.items():
        for churn, _ in customer.churns:
            if churn - customer.since < WARM_UP:
                continue
            churns += 1
            if (name, churn) in earliest:
                leads.append((churn - earliest[name, churn]) / DAY)
            ahead = [churn - one["raised"] for one in by_customer[name] if one["raised"] <= churn - MIN_LEAD < one["closed"]]
            warned.append(max([lead for lead in ahead if lead <= max(LONGEST, horizon)], default=-1))
        alarms = [(max(one["raised"], begin), min(one["closed"], until)) for one in by_customer[name] for begin, until in customer.spells]
        in_alarm += union(alarms)
    wrong = counts["false"] + counts["withdrawn"]
    share = lambda part, whole: part / whole if whole else None
    return {
        "signals": len(episodes), "true": counts["true"], "late": counts["late"], "false": wrong, "withdrawn": counts["withdrawn"],
        "censored": counts["censored"], "precision": share(counts["true"], counts["true"] + wrong), "churns": churns,
        "churns_warned": len(leads), "recall": share(len(leads), churns), "flaps": flaps,
        "lead_days": None if not leads else dict(zip(["p10", "median", "p90"], numpy.percentile(leads, [10, 50, 90]))),
        "warned": {str(days): share(sum(lead >= days * DAY for lead in warned), churns) for days in (14, 30, 60, 90)},
        "false_alarms_per_1000_customer_months": wrong * 1000 / months,
        "share_of_time_in_alarm": in_alarm / (months * 30.4375 * DAY),
    }


def union(intervals):
    total, reached = 0, -NEVER
    for begin, until in sorted(intervals):
        begin = max(begin, reached)
        if until > begin:
            total += until - begin
            reached = until
    return total


def check_chance(customers, start, end, report, differences):
    right = wrong = 0
    for customer in customers.values():
        for begin, until in customer.spells:
            churn = next((churn for churn, _ in customer.churns if begin <= churn <= until), None)
            begin = max(begin, customer.since + WARM_UP, start)
            if churn is None:
                wrong += max(0, min(until, end - HORIZON) - begin)
            else:
                right += max(0, churn - MIN_LEAD - max(begin, churn - HORIZON))
                wrong += max(0, churn - HORIZON - begin)
    compare("prevalence", report["log"]["prevalence"], right / (right + wrong), differences)


def check_health(path, customers, end, report, differences):
    rows = list(csv.DictReader(open(path, encoding="utf-8")))
    month_start = lambda month: milliseconds(f"{month}-01T00:00:00Z")
    dates = numpy.array([month_start(row["month"]) for row in rows])
    follows = lambda row, date: any(0 < churn - date <= HORIZON for churn, _ in customers[row["customer"]].churns)
    labels = numpy.array([follows(row, date) for row, date in zip(rows, dates)])
    health = numpy.array([float(row["health"]) for row in rows])
    told = report["health"]
    first, last = datetime.fromtimestamp(dates.min() / 1000, timezone.utc), datetime.fromtimestamp(end / 1000, timezone.utc)
    months = [f"{year}-{month:02}" for year in range(first.year - 1, last.year + 1) for month in range(1, 13)]
    expected = 0
    for customer in customers.values():
        for date in map(month_start, months):
            expected += date - customer.since >= WARM_UP and date + HORIZON <= end and customer.is_customer(date)
    compare("health.observations", told["observations"] + told["without_score"], expected, differences)
    compare("health.positives", told["positives"], int(labels.sum()), differences)
    compare("health.auc", told["auc"], roc_auc_score(labels, -health), differences)
    compare("health.pr_auc", told["pr_auc"], average_precision_score(labels, -health), differences)
    calibration = told["calibration"]
    if calibration is None:
        differences.append("there is no calibration")
        return
    test_from = month_start(calibration["test_from"])
    train, test = dates + HORIZON <= test_from, dates >= test_from
    model = LogisticRegression(C=numpy.inf, tol=1e-12, max_iter=10_000).fit(health[train, None], labels[train])
    probability = model.predict_proba(health[test, None])[:, 1]
    compare("health.brier", told["brier"], brier_score_loss(labels[test], probability), differences, 1e-6)
    compare("calibration.slope", calibration["slope"], model.coef_[0, 0], differences, 1e-4)
    constant = numpy.full(test.sum(), labels[train].mean())
    compare("calibration.brier_of_prevalence", calibration["brier_of_prevalence"], brier_score_loss(labels[test], constant), differences)


def compare(name, told, found, differences, tolerance=1e-9):
    if isinstance(found, dict) and isinstance(told, dict):
        for key, value in found.items():
            compare(f"{name}.{key}", told[key], value, differences, tolerance)
    elif told is None or found is None:
        if told is not found:
            differences.append(f"{name}: the report says {told}, and it is {found}")
    elif abs(told - found) > tolerance * max(1, abs(found)):
        differences.append(f"{name}: the report says {told}, and it is {found}")


def main():
    events, signals, observations, report = sys.argv[1:]
    report = json.load(open(report, encoding="utf-8"))
    customers, start, end = read_events(events)
    episodes = read_episodes(signals)
    months = sum(until - begin for customer in customers.values() for begin, until in customer.spells) / (30.4375 * DAY)
    differences = []
    compare("customer_months", report["log"]["customer_months"], months, differences)
    at_risk = [episode for episode in episodes if episode["kind"] == "at_risk"]
    overall = [episode for episode in at_risk if episode["rule"] not in NOTICE_DRIVEN]
    compare("overall", report["overall"], judge(overall, customers, end, months), differences)
    for row in report["overall"]["horizons"]:
        found = judge(overall, customers, end, months, round(row["horizon_days"] * DAY))
        found = {key: found[key] for key in ("true", "late", "false", "censored", "precision", "recall")}
        compare(f"horizon {row['horizon_days']}", row, found, differences)
    rules = [rule for rule in report["by_rule"] if rule["kind"] == "at_risk"]
    for rule in rules:
        own = [episode for episode in at_risk if episode["rule"] == rule["rule"]]
        compare(rule["rule"], rule, judge(own, customers, end, months), differences)
    check_chance(customers, start, end, report, differences)
    check_health(observations, customers, end, report, differences)
    print(f"{len(customers)} customers, {len(at_risk)} at-risk episodes, {report['overall']['churns']} churns, {len(rules)} rules")
    if differences:
        sys.exit("\n".join(differences))


main()
