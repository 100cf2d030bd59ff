//! Who reads what: topics by a pattern, some of which come later, and an instance that comes back under its name without a rebalance.

use std::fs;
use std::time::Instant;

use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::Product;

use crate::support::{LONG, assert_as_replayed, journaled, log, metrics, wait_until};
use crate::wrong::end_of;

const PARTITIONS: u16 = 4;

#[test]
fn topics_of_a_pattern_are_read_also_when_they_come_later() {
    let mut product = Product::new(Broker::shared().bootstrap(), "pattern", PARTITIONS);
    product.more_settings = "    - { name: teams, topics: [\"^pattern\\\\.team-.*\"], silent_after: never }\n".to_owned();
    product.create();
    product.create_input("team-one");
    // A topic that the pattern does not name is left alone.
    product.create_input("a-team-of-others");
    let events = company(31, 20, 60);
    let [ones, twos, others, rest] = [0, 1, 2, 3].map(|part| {
        let events = events.iter().filter(|event| event.id.bytes().map(usize::from).sum::<usize>() % 4 == part);
        events.cloned().collect::<Vec<_>>()
    });
    product.produce(&rest);
    product.producer_to("team-one").produce(&ones);
    product.producer_to("a-team-of-others").produce(&others);
    let mut running = [("all", product.start("all", "all", 1))];
    let count = |product: &Product| journaled(product, PARTITIONS).len();
    wait_until(&product, &mut running, "both are journaled", || count(&product) >= rest.len() + ones.len());
    product.create_input("team-two");
    product.producer_to("team-two").produce(&twos);
    wait_until(&product, &mut running, "the new topic is journaled", || count(&product) >= rest.len() + ones.len() + twos.len());
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    let mut expected: Vec<String> = [&rest, &ones, &twos].into_iter().flatten().map(|event| event.id.to_string()).collect();
    expected.sort_unstable();
    assert_eq!(journaled(&product, PARTITIONS), expected);
    let mut running = [("rest", product.start("rest", "process", 1))];
    let count = product.replayed().len();
    wait_until(&product, &mut running, "all is processed", || product.published().len() >= count);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    assert!(assert_as_replayed(&product) > 50);
}

/// Of the processing of an instance: partitions that came or went so far, and those that it owns.
fn moved_and_owned(product: &Product, instance: &str) -> (f64, f64) {
    let page = metrics(product, instance).unwrap_or_default();
    let sum = |name: &str| {
        let lines = page.lines().filter(|line| line.starts_with(&format!("bellwether_{name}{{")) && line.contains("role=\"process\""));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    (sum("rebalanced_partitions_total"), sum("owned_partitions"))
}

#[test]
fn an_instance_that_comes_back_under_its_name_moves_no_partition_of_others() {
    let mut product = Product::new(Broker::shared().bootstrap(), "static", PARTITIONS);
    product.more_settings = "  static_membership: true\n".to_owned();
    product.create();
    product.produce(&company(32, 20, 40));
    // Longer than any restart, so that it is no matter of luck.
    let configured = |instance: &str| {
        let path = product.configuration(instance);
        let text = fs::read_to_string(&path).expect("it was written");
        fs::write(&path, text.replace("session.timeout.ms: 6000", "session.timeout.ms: 45000")).expect("it can be written");
        path
    };
    let start = |instance: &str| product.start_with(&configured(instance), instance, "process", 1);
    let mut running = vec![("one", start("one")), ("two", start("two"))];
    let half = f64::from(PARTITIONS) / 2.0;
    let own_half = || ["one", "two"].iter().all(|instance| moved_and_owned(&product, instance).1 == half);
    wait_until(&product, &mut running, "each owns half", own_half);
    let before = moved_and_owned(&product, "two");

    let (_, one) = running.remove(0);
    one.kill();
    fs::remove_file(product.log("one")).expect("it has logged");
    let killed = Instant::now();
    running.push(("one", start("one")));
    wait_until(&product, &mut running, "it has its partitions back", || moved_and_owned(&product, "one").1 == half);
    assert_eq!(moved_and_owned(&product, "two"), before, "nothing moved\n{}", log(&product, "two"));
    println!("back after {} s", killed.elapsed().as_secs_f32());

    // In good order, too.
    let (_, one) = running.pop().expect("it runs");
    assert_eq!(one.stop(), Some(0));
    fs::remove_file(product.log("one")).expect("it has logged");
    running.push(("one", start("one")));
    wait_until(&product, &mut running, "it has its partitions back again", || moved_and_owned(&product, "one").1 == half);
    assert_eq!(moved_and_owned(&product, "two"), before, "nothing moved\n{}", log(&product, "two"));
    assert!(killed.elapsed() < LONG);
    for (_, instance) in running {
        assert_eq!(instance.stop(), Some(0));
    }
}

#[test]
fn of_two_instances_under_one_name_the_earlier_leaves_the_work_to_the_later() {
    let mut product = Product::new(Broker::shared().bootstrap(), "twins", PARTITIONS);
    product.more_settings = "  static_membership: true\n".to_owned();
    product.create();
    product.produce(&company(33, 20, 40));
    let mut running = [("one", product.start("one", "all", 1))];
    let owns = |instance: &str| moved_and_owned(&product, instance).1 == f64::from(PARTITIONS);
    wait_until(&product, &mut running, "it owns all", || owns("one"));
    let [(_, mut earlier)] = running;

    let path = product.configuration("two");
    let text = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, text.replace("instance: two", "instance: one")).expect("it can be written");
    let mut running = [("two", product.start_with(&path, "two", "all", 1))];
    assert_eq!(end_of(&product, "one", &mut earlier), Some(2));
    let said = log(&product, "one");
    assert!(said.contains("another process has come under the same name"), "{said}");
    wait_until(&product, &mut running, "the later one owns all", || owns("two"));
    // Signals of one state, told once, whoever has told them.
    let count = product.replayed().len();
    wait_until(&product, &mut running, "all is processed", || product.published().len() >= count);
    let [(_, later)] = running;
    assert_eq!(later.stop(), Some(0));
    let mut running = [("rest", product.start("rest", "process", 1))];
    let count = product.replayed().len();
    wait_until(&product, &mut running, "all is processed", || product.published().len() >= count);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    assert!(assert_as_replayed(&product) > 50);
}
