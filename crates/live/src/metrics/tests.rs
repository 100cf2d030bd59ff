//! What is told of partitions that come and go, and what is there from the start.

use super::*;

#[test]
fn what_a_lost_partition_told_is_told_no_longer() {
    let metrics = Metrics::new();
    let mut header = Header { journal_time: Time(1_700_000_000_000), ..Header::default() };
    header.aggregates.customers = 3;
    header.aggregates.mrr_minor.insert(bellwether_engine::event::Currency(*b"EUR"), 700);
    metrics.partition_settled(0, &header);
    let owned = metrics.render();
    assert!(owned.contains("bellwether_customers 3\n") && owned.contains("bellwether_mrr_minor_units{currency=\"EUR\"} 700\n"), "{owned}");
    metrics.partition_gone(0);
    let lost = metrics.render();
    assert!(lost.contains("bellwether_customers 0\n") && !lost.contains("EUR"), "{lost}");
}

#[test]
fn nothing_of_the_rules_or_of_time_outlives_the_last_partition() {
    let metrics = Metrics::new();
    let text = "targets: { nps: 40, mrr_minor: { EUR: 900 } }\nsignals: []\n";
    let rules = bellwether_codec::rules::RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}")).rule_set(1);
    let header = Header { journal_time: Time(1_700_000_000_000), ..Header::default() };
    let told = || {
        let text = metrics.render();
        let names = ["journal_time_seconds", "kpi_target", "kpi_money_target", "kpi_setting", "partition_told"];
        names.map(|name| text.lines().filter(|line| line.starts_with(&format!("bellwether_{name}"))).count())
    };
    assert_eq!(told(), [0; 5], "who has no partition has no time, and no rules");
    for _ in 0..2 {
        metrics.partition_stands(0, &header, &rules);
        metrics.partition_stands(1, &header, &rules);
        assert_eq!(told(), [1, 1, 1, 2, 2]);
        metrics.partition_gone(0);
        assert_eq!(told(), [1, 1, 1, 2, 1]);
        metrics.partition_gone(1);
        assert_eq!(told(), [0; 5]);
    }
}

#[test]
fn where_nothing_was_folded_yet_does_not_hold_up_the_others() {
    let metrics = Metrics::new();
    let mut header = Header { journal_time: Time(1_700_000_000_000), ..Header::default() };
    header.aggregates.mrr_minor.insert(bellwether_engine::event::Currency(*b"EUR"), 700);
    metrics.partition_stands_empty(1, &Header::default());
    metrics.partition_settled(0, &header);
    let text = metrics.render();
    assert!(text.contains("bellwether_journal_time_seconds 1700000000\n") && text.contains("{currency=\"EUR\"} 700\n"), "{text}");
}

#[test]
fn the_age_of_snapshots_is_told_by_the_owner_alone() {
    let metrics = Metrics::new();
    let told = |partition: u16| {
        let start = format!("bellwether_snapshot_timestamp_seconds{{partition=\"{partition}\"}} ");
        metrics.render().lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned))
    };
    let header = Header::default();
    metrics.snapshot_stands(3, Time(1_700_000_000_000));
    assert_eq!(told(3), None, "it is not ours yet");
    metrics.partition_settled(3, &header);
    metrics.partition_settled(4, &header);
    metrics.snapshot_stands(3, Time(1_700_000_000_999));
    metrics.snapshot_stands(4, Time(0));
    assert_eq!((told(3).as_deref(), told(4).as_deref()), (Some("1700000000"), Some("0")));
    metrics.partition_gone(3);
    metrics.snapshot_stands(3, Time(1_700_000_001_000));
    assert_eq!((told(3), told(4).as_deref()), (None, Some("0")));
}

#[test]
fn every_rule_in_force_begins_at_zero() {
    let metrics = Metrics::new();
    let file = "signals: [{ name: silence, kind: at_risk, when: logins_28d == 0, summary: s }]";
    let rules = bellwether_codec::rules::RuleFile::parse("rules.yaml", file).expect("it is one").rule_set(1);
    let zero = "bellwether_signals_total{rule=\"silence\",transition=\"raised\"} 0\n";
    assert!(!metrics.render().contains(zero));
    metrics.partition_stands(0, &Header::default(), &rules);
    assert!(metrics.render().contains(zero), "{}", metrics.render());
}

#[test]
fn every_reason_of_a_refusal_begins_at_zero() {
    let text = Metrics::new().render();
    for reason in RejectReason::ALL {
        assert!(text.contains(&format!("bellwether_rejected_total{{reason=\"{}\"}} 0\n", reason.code())), "{reason:?}");
    }
}
