"""The definitions of an evaluation, on the events and the signals of a log: what became of customers, and what of each alarm."""

import io
import json
from collections import Counter, defaultdict
from datetime import datetime, timezone

import numpy
import zstandard

DAY = 86_400_000
MIN_LEAD, WARM_UP, LONGEST = 14 * DAY, 28 * DAY, 180 * DAY
NEVER = float("inf")


def milliseconds(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=timezone.utc).timestamp() * 1000)


def month(time):
    return f"{datetime.fromtimestamp(time / 1000, timezone.utc):%Y-%m}"


def month_start(name):
    return milliseconds(f"{name}-01T00:00:00Z")


def share(part, whole):
    return part / whole if whole else None


class Customer:
    def __init__(self, first):
        self.since, self.created, self.segment = first, False, "unknown"
        self.subscriptions, self.notice = {}, None
        self.spell, self.spells, self.churns = None, [], []
        self.payments, self.references = [], []

    def fold(self, kind, time, data, by_end):
        if kind.startswith("account."):
            self.segment = data.get("segment", self.segment)
        if kind == "account.created":
            self.since = time if not self.created else min(self.since, time)
            self.created = True
        if kind == "campaign.converted" or kind == "lead.recorded" and data.get("kind") in ("reference", "referral"):
            self.references.append(time)
        if kind.startswith("subscription."):
            known = self.subscriptions.setdefault(data["subscription"], {"mrr": 0, "runs": False})
            if kind == "subscription.started" and self.notice is not None and self.notice < time:
                self.notice = None
            known["runs"] = kind != "subscription.ended"
            known["mrr"] = data.get("mrr_minor", known["mrr"])
        elif kind == "cancellation.requested":
            self.notice = time if self.notice is None else self.notice
        elif kind == "cancellation.withdrawn":
            self.notice = None
        else:
            return
        runs = [one for one in self.subscriptions.values() if one["runs"]]
        paid = sum(one["mrr"] for one in runs)
        self.payments.append((time, paid))
        if self.spell is None and paid > 0:
            self.spell = time
        elif self.spell is not None and not runs:
            self.leave(time, time, by_end)

    def leave(self, until, gone, by_end):
        self.spells.append((self.spell, until))
        is_told = not by_end and self.notice is not None and self.notice >= self.spell
        churn = self.notice if is_told else gone
        if churn != NEVER:
            self.churns.append((churn, gone))
        self.spell = None

    def is_customer(self, time):
        served = any(begin <= time < until for begin, until in self.spells)
        return served and not any(churn <= time <= max(churn, gone) for churn, gone in self.churns)

    def served(self, begin):
        return sum(max(0, until - max(begin, since)) for since, until in self.spells)


def read_events(path, by_end):
    customers, end, start = {}, 0, None
    with open(path, "rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file) if path.endswith(".zst") else file, encoding="utf-8"):
            event = json.loads(line)
            time = milliseconds(event["time"])
            start = time if start is None else start
            end = max(end, time)
            if event["subject"] == "_company":
                continue
            customer = customers.setdefault(event["subject"], Customer(time))
            if event["type"].startswith(("subscription.", "cancellation.", "account.", "campaign.", "lead.")):
                customer.fold(event["type"], time, event.get("data", {}), by_end)
    for customer in customers.values():
        if customer.spell is not None:
            customer.leave(end, NEVER, by_end)
    return customers, start, end


def read_episodes(path):
    episodes, latest = [], {}
    for line in open(path, encoding="utf-8"):
        signal = json.loads(line)
        data, time = signal["data"], milliseconds(signal["time"])
        transition = signal["type"].split(".")[2]
        key = (signal["subject"], data["rule"], data["object"])
        if transition == "raised":
            if key in latest and latest[key]["withdrawn"] == NEVER:
                latest[key]["withdrawn"] = time
            latest[key] = {"customer": key[0], "rule": key[1], "object": key[2], "kind": data["kind"], "mrr": data["mrr_minor"],
                           "raised": time, "closed": NEVER, "withdrawn": NEVER}
            episodes.append(latest[key])
        elif transition in ("cleared", "expired"):
            latest[key]["closed"] = latest[key]["withdrawn"] = time
        elif transition == "resolved":
            latest[key]["closed"] = time
    return episodes


class Judge:
    """The definitions, for one log."""

    def __init__(self, customers, start, end, horizon, begin):
        self.customers, self.end, self.horizon, self.begin = customers, end, horizon, max(start, begin)
        self.months = sum(customer.served(self.begin) for customer in customers.values()) / (30.4375 * DAY)
        self.churns = [
            (name, churn)
            for name, customer in sorted(customers.items())
            for churn, _ in customer.churns
            if churn - customer.since >= WARM_UP and churn >= self.begin
        ]
        self.measure_chance()

    def stood(self, episode, churn):
        """Whether it was open at the last moment to act. What churn resolved was not withdrawn, while that service lasted."""
        last, over = churn - MIN_LEAD, episode["withdrawn"]
        if episode["closed"] < over:
            ends = [until for _, until in self.customers[episode["customer"]].spells if until >= episode["closed"]]
            over = min(over, ends[0]) if ends else episode["closed"]
        return episode["raised"] <= last < over

    def outcome(self, episode, horizon=None):
        horizon = horizon or self.horizon
        raised = episode["raised"]
        ahead = [churn for churn, gone in self.customers[episode["customer"]].churns if max(churn, gone) >= raised]
        if not ahead:
            return ("censored" if raised + horizon > self.end else "false"), None
        lead = ahead[0] - raised
        if lead < MIN_LEAD:
            return "late", None
        if lead > horizon:
            return "false", None
        return ("true", ahead[0]) if self.stood(episode, ahead[0]) else ("withdrawn", None)

    def warned_of(self, episodes, horizon=None):
        """The earliest true alarm of each churn."""
        earliest = {}
        for episode in episodes:
            churn = self.outcome(episode, horizon)[1]
            if churn is not None:
                key = (episode["customer"], churn)
                earliest[key] = min(earliest.get(key, NEVER), episode["raised"])
        return {key: earliest[key] for key in self.churns if key in earliest}

    def figures(self, episodes, horizon=None):
        raised = [episode for episode in episodes if episode["raised"] >= self.begin]
        counts = Counter(self.outcome(episode, horizon)[0] for episode in raised)
        warned, wrong = self.warned_of(episodes, horizon), counts["false"] + counts["withdrawn"]
        return {
            "true": counts["true"], "late": counts["late"], "false": wrong, "censored": counts["censored"],
            "precision": share(counts["true"], counts["true"] + wrong), "recall": share(len(warned), len(self.churns)),
        }

    def all_figures(self, episodes):
        raised = [episode for episode in episodes if episode["raised"] >= self.begin]
        warned, told = self.warned_of(episodes), self.figures(episodes)
        leads = [(churn - since) / DAY for (_, churn), since in warned.items()]
        flaps, last_end = 0, {}
        by_customer = defaultdict(list)
        for episode in episodes:
            key = (episode["customer"], episode["rule"], episode["object"])
            flaps += episode["raised"] >= self.begin and key in last_end and episode["raised"] - last_end[key] <= 7 * DAY
            last_end[key] = episode["closed"]
            by_customer[episode["customer"]].append(episode)
        continuous = []
        for name, churn in self.churns:
            ahead = [churn - one["raised"] for one in by_customer[name] if self.stood(one, churn)]
            continuous.append(max([lead for lead in ahead if lead <= max(LONGEST, self.horizon)], default=-1))
        in_alarm = 0
        for name, alarms in by_customer.items():
            spells = self.customers[name].spells
            in_alarm += union([(max(one["raised"], begin, self.begin), min(one["closed"], until)) for one in alarms for begin, until in spells])
        return told | {
            "signals": len(raised), "withdrawn": sum(self.outcome(episode)[0] == "withdrawn" for episode in raised),
            "churns": len(self.churns), "churns_warned": len(warned), "flaps": flaps,
            "lead_days": None if not leads else dict(zip(["p10", "median", "p90"], numpy.percentile(leads, [10, 50, 90]))),
            "warned": {str(days): share(sum(lead >= days * DAY for lead in continuous), len(self.churns)) for days in (14, 30, 60, 90)},
            "alerts_per_1000_customer_months": len(raised) * 1000 / self.months,
            "false_alarms_per_1000_customer_months": told["false"] * 1000 / self.months,
            "alerts_per_week": len(raised) * 7 * DAY / (self.end - self.begin),
            "share_of_time_in_alarm": in_alarm / (self.months * 30.4375 * DAY),
            "lift": told["precision"] and told["precision"] / self.chance,
        }

    def by_month(self, episodes):
        months = defaultdict(Counter)
        for episode in episodes:
            if episode["raised"] >= self.begin:
                months[month(episode["raised"])].update(["signals", self.outcome(episode)[0]])
        warned = self.warned_of(episodes)
        for key in self.churns:
            months[month(key[1])].update(["churns", "churns_warned"] if key in warned else ["churns"])
        rows = []
        for name, counts in sorted(months.items()):
            wrong = counts["false"] + counts["withdrawn"]
            year, number = map(int, name.split("-"))
            following = month_start(f"{year + number // 12}-{number % 12 + 1:02}")
            rows.append({
                "month": name, "signals": counts["signals"], "true": counts["true"], "false": wrong, "churns": counts["churns"],
                "precision": share(counts["true"], counts["true"] + wrong), "churns_warned": counts["churns_warned"],
                "recall": share(counts["churns_warned"], counts["churns"]), "is_complete": following + self.horizon <= self.end,
            })
        return rows

    def measure_chance(self):
        """Alarms at random instants of service, past the warm-up and before any notice."""
        right = wrong = everything = 0
        in_time = []
        for customer in self.customers.values():
            for begin, until in customer.spells:
                churn = next((churn for churn, _ in customer.churns if begin <= churn <= until), None)
                begin = max(begin, customer.since + WARM_UP, self.begin)
                everything += max(0, (until if churn is None else churn) - begin)
                if churn is None:
                    wrong += max(0, min(until, self.end - self.horizon) - begin)
                    continue
                before = max(0, churn - MIN_LEAD - max(begin, churn - self.horizon))
                right += before
                wrong += max(0, churn - self.horizon - begin)
                if churn - customer.since >= WARM_UP and churn >= self.begin:
                    in_time.append(before)
        self.chance, self.in_time = right / (right + wrong), numpy.array(in_time) / everything

    def random_recall(self, alarms):
        return float((1 - (1 - self.in_time) ** alarms).mean())

    def intervals(self, episodes):
        """Precision and recall of customers drawn anew."""
        names = {name: index for index, name in enumerate(sorted(self.customers))}
        counts = numpy.zeros((4, len(names)))
        for episode in episodes:
            what = self.outcome(episode)[0]
            if episode["raised"] >= self.begin and what in ("true", "false", "withdrawn"):
                counts[0 if what == "true" else 1, names[episode["customer"]]] += 1
        warned = self.warned_of(episodes)
        for key in self.churns:
            counts[2, names[key[0]]] += 1
            counts[3, names[key[0]]] += key in warned
        drawn = numpy.random.default_rng(7).multinomial(len(names), numpy.full(len(names), 1 / len(names)), 2_000) @ counts.T
        precision, recall = drawn[:, 0] / (drawn[:, 0] + drawn[:, 1]), drawn[:, 3] / drawn[:, 2]
        return [list(numpy.percentile(one, [2.5, 97.5])) for one in (precision, recall)]


def union(intervals):
    total, reached = 0, -NEVER
    for begin, until in sorted(intervals):
        begin = max(begin, reached)
        if until > begin:
            total += until - begin
            reached = until
    return total
