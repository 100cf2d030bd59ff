//! Whose users there are is known to every instance that takes in, whichever of them has read it.

use std::collections::BTreeSet;

use bellwether_tests::broker::Broker;
use bellwether_tests::feed::{Feed, Raw};
use bellwether_tests::product::{INPUT_PARTITIONS, Product, Running};

use crate::support::{metrics, wait_until};

const PARTITIONS: u16 = 2;
const NOW_MS: i64 = 1_767_254_400_000;

/// A source whose records tell the user alone.
fn settings(product: &Product) -> String {
    format!(
        "    - name: clicks
      topics: [{}]
      format: mapped
      silent_after: never
      mapping:
        type: {{ constant: usage }}
        id: /id
        source: {{ constant: /clicks }}
        subject: {{ at: /user, as: customer_of_user }}
        time: /time
        data: {{ feature: {{ constant: click }}, user: /user }}
  user_lookup: {{ learn: true }}
",
        product.topic("clicks")
    )
}

/// How many partitions of its inputs an instance owns.
fn owned(product: &Product, instance: &str) -> f64 {
    let page = metrics(product, instance).unwrap_or_default();
    let lines = page.lines().filter(|line| line.starts_with("bellwether_owned_partitions{") && line.contains("role=\"ingest\""));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Subjects and ids of the events of a type in the journal.
fn journaled(product: &Product, wanted: &str) -> Vec<(String, String)> {
    let told = |record: &bellwether_kafka::Received<'_>| {
        let event: serde_json::Value = serde_json::from_slice(record.value?).ok()?;
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        (event["type"] == wanted).then(|| text("subject").zip(text("id")))?
    };
    product.read("journal", PARTITIONS, told).into_iter().flatten().collect()
}

fn refused(product: &Product) -> usize {
    product.read("dead-letters", PARTITIONS, |_| ()).len()
}

#[test]
fn what_one_instance_has_read_another_knows() {
    let mut product = Product::new(Broker::shared().bootstrap(), "heard", PARTITIONS);
    product.more_settings = settings(&product);
    product.create();
    product.create_input("clicks");
    let feed = |topic: &str| Feed::new(product.connection(), &product.topic(topic), INPUT_PARTITIONS);
    let (mut events, mut clicks) = (feed("events"), feed("clicks"));
    let mut running: Vec<(&str, Running)> = ["one", "two"].map(|name| (name, product.start(name, "ingest", 1))).into();
    let all = f64::from(2 * INPUT_PARTITIONS);
    let share = || ["one", "two"].map(|name| owned(&product, name));
    wait_until(&product, &mut running, "both own inputs", || {
        share().iter().all(|owned| *owned > 0.0) && share().iter().sum::<f64>() == all
    });

    // A user is invited in each partition, so that each instance reads some of them.
    let users: Vec<String> = (0..INPUT_PARTITIONS).map(|number| format!("user-{number}")).collect();
    let invitation = |user: &String| {
        Raw {
        value: format!(
            r#"{{"specversion":"1.0","id":"{user}","source":"/a","type":"user.invited","subject":"of-{user}","time":"2026-01-01T07:00:00Z","data":{{"user":"{user}"}}}}"#
        )
        .into_bytes(),
        timestamp_ms: NOW_MS,
    }
    };
    events.write(&users.iter().map(invitation).collect::<Vec<_>>());
    wait_until(&product, &mut running, "all are invited", || journaled(&product, "user.invited").len() == users.len());

    // Each user clicks in each partition, and again where that was refused because it came too early.
    let mut wanted: BTreeSet<(String, u32)> =
        users.iter().flat_map(|user| (0..INPUT_PARTITIONS).map(|partition| (user.clone(), partition))).collect();
    let mut written = 0;
    wait_until(&product, &mut running, "each user is known to whom reads a partition", || {
        let known = journaled(&product, "usage");
        if known.len() + refused(&product) < written {
            return false;
        }
        for (customer, id) in known {
            let [user, partition, _] = id.split('/').collect::<Vec<_>>()[..] else { panic!("{id}") };
            assert_eq!(customer, format!("of-{user}"));
            wanted.remove(&(user.to_owned(), partition.parse().expect("it is a number")));
        }
        if !wanted.is_empty() {
            // The feed goes round the partitions: who is known already clicks once more.
            for user in &users {
                let click = |partition: u32| Raw {
                    value: format!(r#"{{"id":"{user}/{partition}/{written}","user":"{user}","time":"2026-01-01T08:00:00Z"}}"#).into_bytes(),
                    timestamp_ms: NOW_MS,
                };
                clicks.write(&(0..INPUT_PARTITIONS).map(click).collect::<Vec<_>>());
                written += INPUT_PARTITIONS as usize;
            }
        }
        wanted.is_empty()
    });
    assert!(share().iter().all(|owned| *owned > 0.0), "both still own inputs: {:?}", share());
    running.into_iter().for_each(|(_, instance)| assert_eq!(instance.stop(), Some(0)));
}
