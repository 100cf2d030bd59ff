"""Learns a risk model by scikit-learn from exported features, and compares it with the one that `bellwether fit` found.

    fit.py FEATURES.csv MODEL.json LIMIT

FEATURES.csv has the health of the fitted rule file. The split by time with its gap is made anew. Prints the figures; exits with 1 and says
what differs: counts, an AUC of the model's formula or of its health that is not the one reported, an AUC that is worse by more than LIMIT than scikit-learn's on
the raw features, or one that is another than scikit-learn's on the same inputs. Better than on the raw features it may be: clipping outliers and leaving rare
features out helps where there are few rows, and that it is this alone, the last comparison shows."""

import csv
import json
import sys
from datetime import datetime, timedelta

import numpy
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def main(features, model_file, limit):
    with open(model_file, encoding="utf-8") as file:
        learned = json.load(file)
    until, horizon = instant(learned["until"]), timedelta(days=learned["horizon_days"])
    inputs = learned["model"]["inputs"]
    with open(features, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["complete"] == "1"]
    training = [row for row in rows if instant(row["time"]) + horizon <= until]
    test = [row for row in rows if instant(row["time"]) >= until]

    def table(some, names=tuple(one["feature"] for one in inputs)):
        return numpy.array([[float(row[name] or "nan") for name in names] for row in some])

    def churned(some):
        return numpy.array([row["churned"] == "1" for row in some])

    low, high, mean, deviation, weight = (numpy.array([one[name] for one in inputs]) for name in ("low", "high", "mean", "deviation", "weight"))

    def theirs(values):
        regression = LogisticRegression(C=1 / learned["ridge"], max_iter=10_000)
        pipeline = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), regression)
        pipeline.fit(values(training), churned(training))
        return roc_auc_score(churned(test), pipeline.predict_proba(values(test))[:, 1])

    plain = theirs(lambda some: table(some, learned["features"]))
    clipped = theirs(lambda some: table(some).clip(low, high))
    ours = roc_auc_score(churned(test), numpy.nan_to_num((table(test).clip(low, high) - mean) / deviation) @ weight)
    health = roc_auc_score(churned(test), [-float(row["health"]) for row in test])

    wrong = []
    for name, some in (("training", training), ("test", test)):
        customers = len({row["customer"] for row in some if row["churned"] == "1"})
        print(f"{name}: {len(some)} rows, {churned(some).sum()} of churns of {customers} customers")
        told = learned[name]
        if (told["rows"], told["churns"]) != (len(some), churned(some).sum()):
            wrong.append(f"{name} rows: {told['rows']} with {told['churns']} churns")
    reported = learned["test"]["auc"]
    print(f"AUC: reported {reported:.4f}, formula {ours:.4f}, health {health:.4f}, scikit-learn {plain:.4f}, with the same inputs and outliers clipped {clipped:.4f}")
    red = sum(float(row["health"]) < 40 for row in training) / len(training)
    if abs(red - 0.1) > 0.005:
        wrong.append(f"a share of {red:.3f} of the training rows is red")
    if abs(reported - ours) > 1e-9:
        wrong.append("the formula")
    if abs(reported - health) > 0.002:
        wrong.append("the health")
    if plain - reported > limit:
        wrong.append("scikit-learn")
    if abs(reported - clipped) > 0.002:
        wrong.append("scikit-learn with outliers clipped")
    for one in wrong:
        print(f"differs: {one}")
    return 1 if wrong else 0


sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
