"""Judges the alarms of a log anew, from the events and the signals alone, and compares the figures with those of a backtest.

    check.py EVENTS.jsonl.zst SIGNALS.jsonl OBSERVATIONS.csv REPORT.json [--baselines SIGNALS.jsonl] [--horizon DAYS] [--churn-at end] [--from DATE]

Of the product's own figures it takes the health scores only, as the observations give them. --baselines are the signals of a rule file that has the
baselines as rules. Exits with 1 and says what differs."""

import argparse
import csv
import json
import sys
from collections import Counter
from datetime import datetime, timezone

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from judge import DAY, WARM_UP, Judge, milliseconds, month_start, read_episodes, read_events

NOTICE_DRIVEN = {"cancel-page-visit", "notice-given"}
DRAWS = 400
# How far two bootstraps over the same customers may lie apart.
TOLERANCE = 0.02


def check_rules(judge, at_risk, report, differences):
    overall = [episode for episode in at_risk if episode["rule"] not in NOTICE_DRIVEN]
    compare("overall", report["overall"], judge.all_figures(overall), differences)
    for name, found in zip(("precision_interval", "recall_interval"), judge.intervals(overall)):
        compare(f"overall.{name}", report["overall"][name], found, differences, TOLERANCE)
    notices = [episode for episode in at_risk if episode["rule"] in NOTICE_DRIVEN]
    compare("notice_driven", report["notice_driven"], judge.all_figures(notices), differences)
    for row in report["overall"]["horizons"]:
        found = judge.figures(overall, round(row["horizon_days"] * DAY))
        compare(f"horizon {row['horizon_days']}", row, found, differences)
    rules = [rule for rule in report["by_rule"] if rule["kind"] == "at_risk"]
    warned = {}
    for rule in rules:
        own = [episode for episode in at_risk if episode["rule"] == rule["rule"]]
        compare(rule["rule"], rule, judge.all_figures(own), differences)
        if rule["rule"] not in NOTICE_DRIVEN:
            warned[rule["rule"]] = set(judge.warned_of(own))
    by_churn = Counter(key for keys in warned.values() for key in keys)
    for rule in rules:
        keys = warned.get(rule["rule"])
        if keys is None:
            continue
        alone = sum(by_churn[key] == 1 for key in keys)
        compare(f"{rule['rule']} alone", rule["churns_warned_alone"], alone, differences)
        compare(f"{rule['rule']} marginal", rule["marginal_recall"], alone / len(judge.churns), differences)
        for other in rule["overlap"]:
            compare(f"{rule['rule']} with {other['rule']}", other["churns"], len(keys & warned[other["rule"]]), differences)
    months = judge.by_month(overall)
    compare("months", len(report["by_month"]), len(months), differences)
    for told, found in zip(report["by_month"], months):
        compare(f"month {found['month']}", told, found, differences)
    compare("prevalence", report["log"]["prevalence"], judge.chance, differences)
    compare("random recall", report["baselines"]["random"]["recall"], judge.random_recall(report["overall"]["signals"]), differences, 1e-6)
    compare("random precision", report["baselines"]["random"]["precision"], judge.chance, differences)
    return len(rules)


def check_others(judge, episodes, report, differences):
    """Upsell by what is paid, advocacy by references."""
    judged = 0
    for rule in report["by_rule"]:
        if rule["kind"] not in ("upsell", "advocacy"):
            continue
        counts = Counter()
        for episode in episodes:
            raised, customer = episode["raised"], judge.customers[episode["customer"]]
            if episode["rule"] != rule["rule"] or raised < judge.begin:
                continue
            within = lambda time: raised <= time <= raised + judge.horizon
            if rule["kind"] == "upsell":
                came = any(within(time) and paid >= 1.05 * episode["mrr"] > 0 for time, paid in customer.payments)
            else:
                came = any(within(time) for time in customer.references)
            counts["true" if came else "censored" if raised + judge.horizon > judge.end else "false"] += 1
        judged += counts["true"]
        for name in ("true", "false", "censored"):
            compare(f"{rule['rule']}.{name}", rule[name], counts[name], differences)
    return judged


def ranking(labels, health):
    """Figures of a score, the lift by tenths in which equal scores share what churns among them."""
    order = numpy.argsort(health, kind="stable")
    labels, health = labels[order].astype(float), health[order]
    _, place, counts = numpy.unique(health, return_inverse=True, return_counts=True)
    shared = (numpy.bincount(place, labels) / counts)[place]
    found = numpy.interp(len(labels) * numpy.arange(11) / 10, numpy.arange(len(labels) + 1), numpy.concatenate([[0], shared.cumsum()]))
    both = 0 < labels.sum() < len(labels)
    return {
        "auc": roc_auc_score(labels, -health) if both else None,
        "pr_auc": average_precision_score(labels, -health) if both else None,
        "lift": (found[1] / labels.sum() * 10) if labels.any() else None,
    }, found


def check_health(path, judge, report, differences):
    rows = list(csv.DictReader(open(path, encoding="utf-8")))
    dates = numpy.array([month_start(row["month"]) for row in rows])
    follows = lambda row, date: [churn for churn, _ in judge.customers[row["customer"]].churns if 0 < churn - date <= judge.horizon]
    labels = numpy.array([bool(follows(row, date)) for row, date in zip(rows, dates)])
    health = numpy.array([float(row["health"]) for row in rows])
    told = report["health"]
    first, last = datetime.fromtimestamp(dates.min() / 1000, timezone.utc), datetime.fromtimestamp(judge.end / 1000, timezone.utc)
    months = [f"{year}-{month:02}" for year in range(first.year - 1, last.year + 1) for month in range(1, 13)]
    expected = 0
    for customer in judge.customers.values():
        for date in map(month_start, months):
            known = date >= judge.begin and date - customer.since >= WARM_UP and date + judge.horizon <= judge.end
            expected += known and customer.is_customer(date)
    compare("health.observations", told["observations"] + told["without_score"], expected, differences)
    compare("health.positives", told["positives"], int(labels.sum()), differences)
    figures, found = ranking(labels, health)
    compare("health", told, figures, differences)
    for gain, (before, until) in zip(told["gains"], zip(found, found[1:]), strict=True):
        compare(f"gain {gain['decile']}", gain, {"lift": (until - before) / labels.sum() * 10, "cumulative_recall": until / labels.sum()}, differences)
    left = {(row["customer"], follows(row, date)[0]) for row, date in zip(rows, dates) if follows(row, date)}
    compare("health.is_enough", told["is_enough"], len(left) >= 20, differences)
    check_health_intervals(rows, labels, health, told, differences)
    calibration = told["calibration"]
    if calibration is None:
        differences.append("there is no calibration")
        return
    test_from = month_start(calibration["test_from"])
    train, test = dates + judge.horizon <= test_from, dates >= test_from
    model = LogisticRegression(C=numpy.inf, tol=1e-12, max_iter=10_000).fit(health[train, None], labels[train])
    probability = model.predict_proba(health[:, None])[:, 1]
    compare("health.brier", told["brier"], brier_score_loss(labels[test], probability[test]), differences, 1e-6)
    compare("calibration.slope", calibration["slope"], model.coef_[0, 0], differences, 1e-4)
    constant = numpy.full(test.sum(), labels[train].mean())
    compare("calibration.brier_of_prevalence", calibration["brier_of_prevalence"], brier_score_loss(labels[test], constant), differences)
    slices = {"month": [row["month"] for row in rows], "segment": [judge.customers[row["customer"]].segment for row in rows]}
    for what, names in slices.items():
        names = numpy.array(names)
        compare(f"{what}s", len(told[f"by_{what}"]), len(set(names)), differences)
        for part in told[f"by_{what}"]:
            these = names == part["name"]
            tested = these & test
            found = {"observations": int(these.sum()), "positives": int(labels[these].sum())} | ranking(labels[these], health[these])[0]
            compare(f"{what} {part['name']}", part, found, differences)
            brier = numpy.mean((probability[tested] - labels[tested]) ** 2) if tested.any() else None
            compare(f"{what} {part['name']}.brier", part["brier"], brier, differences, 1e-6)


def check_health_intervals(rows, labels, health, told, differences):
    _, places = numpy.unique([row["customer"] for row in rows], return_inverse=True)
    draws = numpy.random.default_rng(7).multinomial(places.max() + 1, numpy.full(places.max() + 1, 1 / (places.max() + 1)), DRAWS)
    for name, score in (("auc", roc_auc_score), ("pr_auc", average_precision_score)):
        drawn = [score(labels, -health, sample_weight=draw[places]) for draw in draws]
        compare(f"health.{name}_interval", told[f"{name}_interval"], list(numpy.percentile(drawn, [2.5, 97.5])), differences, TOLERANCE)


def compare(name, told, found, differences, tolerance=1e-9):
    if isinstance(found, dict) and isinstance(told, dict):
        for key, value in found.items():
            compare(f"{name}.{key}", told[key], value, differences, tolerance)
    elif isinstance(found, list) and isinstance(told, list):
        for index, (one, other) in enumerate(zip(told, found, strict=True)):
            compare(f"{name}.{index}", one, other, differences, tolerance)
    elif isinstance(found, (str, type(None))) or told is None:
        if told != found:
            differences.append(f"{name}: the report says {told}, and it is {found}")
    elif abs(told - found) > tolerance * max(1, abs(found)):
        differences.append(f"{name}: the report says {told}, and it is {found}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs=4)
    parser.add_argument("--baselines")
    parser.add_argument("--horizon", type=int, default=90)
    parser.add_argument("--churn-at", default="notice")
    parser.add_argument("--from", dest="begin", type=milliseconds, default=0)
    arguments = parser.parse_args()
    events, signals, observations, report = arguments.files
    report = json.load(open(report, encoding="utf-8"))
    customers, start, end = read_events(events, arguments.churn_at == "end")
    judge = Judge(customers, start, end, arguments.horizon * DAY, arguments.begin)
    episodes = read_episodes(signals)
    at_risk = [episode for episode in episodes if episode["kind"] == "at_risk"]
    differences = []
    compare("customer_months", report["log"]["customer_months"], judge.months, differences)
    rules = check_rules(judge, at_risk, report, differences)
    judged = check_others(judge, episodes, report, differences)
    check_health(observations, judge, report, differences)
    if arguments.baselines:
        others = read_episodes(arguments.baselines)
        for name in ("no_login_30d", "renewal_date"):
            own = [episode for episode in others if episode["rule"] == name.replace("_", "-")]
            compare(f"baseline {name}", report["baselines"][name], judge.all_figures(own), differences)
    print(f"{len(customers)} customers, {len(at_risk)} at-risk episodes, {report['overall']['churns']} churns, {rules} rules, {judged} came true of others")
    if differences:
        sys.exit("\n".join(differences))


main()
