//! Sums over instances while partitions move: each instance tells of whole partitions at any moment, what is recorded of all of them is right or absent
//! at any moment, and all is there at rest.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_live::metrics::Metrics;
use bellwether_tests::broker::Broker;
use bellwether_tests::product::Product;
use serde_json::Value;

use crate::beside_kafka::{company_of_today, now, replayed_by_choice, replayed_metrics, start};
use crate::prometheus::{PATIENCE, Prometheus, free_address, labels_of, shipped_rules};
use crate::{deploy, read};

const PARTITIONS: u16 = 4;

/// What is summed up over instances, as the recording rule has it: the names of the series, and their labels.
pub fn summed() -> (Vec<String>, Vec<String>) {
    let text = read(&deploy("prometheus/recording.yaml"));
    let (_, rule) = text.split_once("- record: job:bellwether_whole:sum\n").expect("there is such a rule");
    let between =
        |before: &str, after: &str| rule.split_once(before).and_then(|(_, rest)| rest.split_once(after)).expect("the rule has it").0;
    let labels = between("sum by (job, metric,", ")").split(',').map(|label| label.trim().to_owned());
    (between("{__name__=~\"", "\"}").split('|').map(str::to_owned).collect(), labels.collect())
}

/// For so many seconds all is recorded, at least: after each of four moves it is waited for.
const MIN_RIGHT_SECONDS: usize = 4;

fn sums(more_labels: &[&str]) -> String {
    let (names, labels) = summed();
    let labels: Vec<&str> = ["__name__"].into_iter().chain(more_labels.iter().copied()).chain(labels.iter().map(String::as_str)).collect();
    let labels = labels.join(", ");
    format!("sum by ({labels}) ({{job=\"bellwether\", __name__=~\"{}\"}})", names.join("|"))
}

/// The same of one exposition. Series that are zero are left out: whether they are there depends on who was asked when.
fn sums_of(exposition: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    let (wanted, _) = summed();
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a series has a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        if !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let value: f64 = value.parse().expect("a number");
        let labels = labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty());
        let labels = labels.map(|label| label.trim_end_matches('"').split_once("=\"").expect("a label has a value"));
        // One that is empty is none.
        let labels = labels.chain([("__name__", name)]).filter(|(_, value)| !value.is_empty());
        let labels = labels.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        *sums.entry(labels_of(&Value::Object(labels))).or_default() += value;
    }
    without_zeros(sums)
}

fn without_zeros(mut sums: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    sums.retain(|_, value| *value != 0.0);
    sums
}

/// Waits until the sums over instances are what a replay of the journal says, which is read again each time, for time goes on. Returns them.
#[track_caller]
fn right_sums(product: &Product, prometheus: &Prometheus) -> BTreeMap<String, f64> {
    let started = Instant::now();
    loop {
        let expected = sums_of(&replayed_metrics(product, PARTITIONS));
        let found = without_zeros(prometheus.series(&sums(&[])).unwrap_or_default());
        if found == expected {
            assert!(expected.len() > 40, "{expected:?}");
            return expected;
        }
        let other: Vec<_> = expected.iter().filter(|(series, value)| found.get(*series) != Some(value)).take(5).collect();
        let surplus: Vec<_> = found.iter().filter(|(series, _)| !expected.contains_key(*series)).take(5).collect();
        assert!(started.elapsed() < PATIENCE, "expected {other:?}; not expected {surplus:?}");
        sleep(Duration::from_millis(300));
    }
}

/// What is told of the pipeline after work: by how many instances, and that it is not nothing.
const OF_THE_PIPELINE: [&str; 20] = [
    "end_to_end_seconds_count > 0",
    "ingest_seconds_count > 0",
    "process_seconds_count > 0",
    "transaction_seconds_count{role=\"ingest\"} > 0",
    "transaction_seconds_count{role=\"process\"} > 0",
    "transactions_total{outcome=\"committed\"} > 0",
    "last_commit_timestamp_seconds > 0",
    "rebalanced_partitions_total{change=\"assigned\"} > 0",
    "journal_lag_records >= 0",
    "journal_lag_seconds >= 0",
    "input_lag_records >= 0",
    "input_lag_seconds >= 0",
    "watermark_age_seconds >= 0",
    "source_events_total > 0",
    "store_bytes{part=\"block_cache\"} > 0",
    "store_bytes{part=\"write_buffers\"} > 0",
    "store_level_zero_files >= 0",
    "store_writes_stopped == 0",
    "store_background_errors == 0",
    "store_delayed_write_bytes_per_second == 0",
];

/// Every one of them, and all that the client library tells, has come to Prometheus.
#[track_caller]
fn assert_pipeline_is_told(prometheus: &Prometheus) {
    let clients: Vec<String> = Metrics::new().described().into_iter().map(|metric| metric.name).collect();
    let clients = clients.iter().filter_map(|name| name.strip_prefix("bellwether_").filter(|name| name.starts_with("kafka_client_")));
    let clients: Vec<String> = clients.map(|name| format!("{name} >= 0")).collect();
    assert!(clients.len() > 3, "{clients:?}");
    for series in OF_THE_PIPELINE.iter().map(|series| (*series).to_owned()).chain(clients) {
        prometheus.wait_for(&format!("bellwether_{series}"), |found| !found.is_empty());
    }
}

fn wait_for_owners(prometheus: &Prometheus, instances: usize) {
    let owned = "sum by (instance) (bellwether_owned_partitions{job=\"bellwether\", role=\"process\"}) > 0";
    prometheus.wait_for(owned, |found| found.len() == instances && found.iter().sum::<f64>() == f64::from(PARTITIONS));
}

/// What one would tell who owns any of the partitions and no others, for every choice of them.
fn sums_by_choice(product: &Product) -> BTreeMap<BTreeMap<String, u64>, u32> {
    let choices = replayed_by_choice(product, PARTITIONS).into_iter().zip(0..);
    let choices: BTreeMap<_, _> = choices.map(|(metrics, choice)| (bits(&sums_of(&metrics)), choice)).collect();
    assert_eq!(choices.len(), 1 << PARTITIONS, "each partition has something to tell");
    choices
}

fn bits(sums: &BTreeMap<String, f64>) -> BTreeMap<String, u64> {
    sums.iter().map(|(series, value)| (series.clone(), value.to_bits())).collect()
}

/// At each second, also while partitions move, each instance tells the sums of some of the partitions: of each of these everything, of the others
/// nothing.
fn assert_whole_partitions(prometheus: &Prometheus, choices: &BTreeMap<BTreeMap<String, u64>, u32>, began: u64, ended: u64) {
    let mut told: BTreeMap<(String, u64), BTreeMap<String, f64>> = BTreeMap::new();
    for (labels, values) in prometheus.history(&sums(&["instance"]), began, ended).expect("history") {
        let mut labels: Value = serde_json::from_str(&labels).expect("JSON");
        let instance = labels.as_object_mut().and_then(|labels| labels.remove("instance")).expect("it is of an instance").to_string();
        for (second, value) in values {
            told.entry((instance.clone(), second)).or_default().insert(labels_of(&labels), value);
        }
    }
    let mut seen = BTreeMap::<u32, usize>::new();
    for ((instance, second), sums) in told {
        let sums = bits(&without_zeros(sums));
        let choice = choices.get(&sums).unwrap_or_else(|| {
            let distance =
                |choice: &BTreeMap<String, u64>| choice.iter().filter(|(series, value)| sums.get(*series) != Some(value)).count();
            let nearest = choices.iter().min_by_key(|(choice, _)| distance(choice)).expect("there are choices");
            let differing: Vec<_> =
                nearest.0.keys().chain(sums.keys()).filter(|series| nearest.0.get(*series) != sums.get(*series)).take(5).collect();
            panic!("{instance} tells at {second} what no choice of partitions has; nearest is {:04b}, but for {differing:?}", nearest.1)
        });
        *seen.entry(*choice).or_default() += 1;
    }
    println!("seconds by what an instance told of (a bit for each partition): {seen:?}");
    let all = (1 << PARTITIONS) - 1;
    assert!(seen.contains_key(&all) && seen.keys().any(|choice| *choice != 0 && *choice != all), "partitions have moved: {seen:?}");
}

/// At each second, also while partitions move, what is recorded of all instances together is right, all of it, or absent.
fn assert_right_or_absent(prometheus: &Prometheus, truths: &[BTreeMap<String, f64>], began: u64, ended: u64) {
    let mut recorded: BTreeMap<u64, BTreeMap<String, f64>> = BTreeMap::new();
    for (labels, values) in prometheus.history("job:bellwether_whole:sum{job=\"bellwether\"}", began, ended).expect("history") {
        let labels: Value = serde_json::from_str(&labels).expect("JSON");
        let labels = labels.as_object().expect("labels").iter().filter(|(name, _)| *name != "job" && *name != "__name__");
        let labels = labels.map(|(name, value)| match name.as_str() {
            "metric" => ("__name__".to_owned(), Value::from(format!("bellwether_{}", value.as_str().expect("a name")))),
            _ => (name.clone(), value.clone()),
        });
        let series = labels_of(&Value::Object(labels.collect()));
        for (second, value) in values {
            recorded.entry(second).or_default().insert(series.clone(), value);
        }
    }
    let (seconds, right) = ((ended - began) as usize, recorded.len());
    for (second, sums) in recorded {
        let sums = without_zeros(sums);
        let differing = || {
            let truth = truths.last().expect("there is one");
            let series = truth.keys().chain(sums.keys()).filter(|series| truth.get(*series) != sums.get(*series));
            series.take(5).map(|series| (series, truth.get(series), sums.get(series))).collect::<Vec<_>>()
        };
        assert!(truths.contains(&sums), "what is recorded at {second} was never right: {:?}", differing());
    }
    println!("recorded, and right, at {right} of {seconds} s");
    assert!(right > MIN_RIGHT_SECONDS && right < seconds, "partitions have moved, and stood still between");
}

#[test]
fn sums_over_instances_are_right_while_partitions_move() {
    let product = Product::new(Broker::shared().bootstrap(), "scaling", PARTITIONS);
    product.create();
    let events = company_of_today(41, 60, 150);
    product.produce(&events);
    let addresses = [free_address(), free_address()];
    let prometheus = Prometheus::of_jobs(&[("bellwether", &addresses.join(", "))], &shipped_rules());
    let instance = |index: usize| start(&product, ["one", "two"][index], "all", &addresses[index]);
    let one = instance(0);
    prometheus.wait_for("sum(bellwether_events_total{job=\"bellwether\"})", |found| found == [events.len() as f64]);
    wait_for_owners(&prometheus, 1);

    // Nothing happens from now on but ticks.
    let mut truths = vec![right_sums(&product, &prometheus)];
    assert_pipeline_is_told(&prometheus);
    let mut choices = sums_by_choice(&product);
    let began = now().0 as u64 / 1_000;
    let mut settled = |instances: usize| {
        wait_for_owners(&prometheus, instances);
        truths.push(right_sums(&product, &prometheus));
    };
    let two = instance(1);
    settled(2);
    // In good order the one, and at once the other.
    assert_eq!(one.stop(), Some(0));
    settled(1);
    let one = instance(0);
    settled(2);
    two.kill();
    settled(1);
    let ended = now().0 as u64 / 1_000;
    assert_eq!(one.stop(), Some(0));
    choices.extend(sums_by_choice(&product));
    assert_whole_partitions(&prometheus, &choices, began, ended);

    assert_right_or_absent(&prometheus, &truths, began, ended);

    // Whoever has no partition tells of no time, and of no rules.
    let of_owners = "{job=\"bellwether\", __name__=~\"bellwether_(journal_time_seconds|kpi_target|kpi_money_target|kpi_setting)\"}";
    let told = prometheus.history(of_owners, began, ended).expect("history");
    assert!(!told.is_empty());
    let by_others = format!("{of_owners} unless on (instance) bellwether_partition_told{{job=\"bellwether\"}}");
    let by_others = prometheus.history(&by_others, began, ended).expect("history");
    assert!(by_others.is_empty(), "{by_others:?}");
}
