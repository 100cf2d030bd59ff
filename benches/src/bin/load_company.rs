//! The engine on a simulated company, which has every kind of event: what more rules cost, and how large states are.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::time::Duration;

use bellwether_benches::{RULES, company, median};
use bellwether_codec::event::Decoder;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::state::encode_customer;
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::partition::{Header, Partition, Payload, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::Time;

/// Runs that count, per measurement.
const RUNS: usize = 5;
/// The company.
const CUSTOMERS: u32 = 300;
const MONTHS: u32 = 18;
const SEED: u64 = 1;
/// Every so manieth rule of the pack is one of the ten.
const EVERY: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    company::make(CUSTOMERS, MONTHS, SEED, true, directory.path())?;
    let reader = BufReader::new(zstd::Decoder::new(File::open(directory.path().join("events.jsonl.zst"))?)?);
    let lines: Vec<String> = reader.lines().collect::<Result<_, _>>()?;
    let decoder = Decoder::default();
    let events: Vec<Event<'_>> = lines.iter().filter_map(|line| decoder.decode_text(line).ok()).collect();
    println!("a simulated company of {CUSTOMERS} customers over {MONTHS} months, seed {SEED}: {} events of every kind", events.len());
    let pack = Arc::new(RuleFile::parse("default.yaml", RULES).map_err(|errors| errors.to_string())?.rule_set(1));
    let (middle, least, most) = median(RUNS, || drop(fold(&events, &pack)));
    let rate = |time: Duration| events.len() as f64 / time.as_secs_f64();
    println!("the whole pack, {} rules: {:.0} events/s (least {:.0}, most {:.0})", pack.rules.len(), rate(middle), rate(most), rate(least));
    let (ten, fifty) = packs()?;
    let mut partition = None;
    let mut times = Vec::new();
    for (rules, number) in [(ten, 10), (fifty, 50)] {
        assert_eq!(rules.rules.len(), number, "the packs have 10 and 50 rules");
        let (middle, least, most) = median(RUNS, || partition = Some(fold(&events, &rules)));
        println!("{number} rules: {:.0} events/s (least {:.0}, most {:.0})", rate(middle), rate(most), rate(least));
        times.push(least.as_secs_f64());
    }
    println!("40 more rules cost {:.0} % more time, by the fastest runs (limit 60)", 100.0 * (times[1] / times[0] - 1.0));
    sizes(&fold(&events, &pack));
    Ok(())
}

fn fold(events: &[Event<'_>], rules: &Arc<RuleSet>) -> Partition {
    let mut partition = Partition::new(rules.clone(), Header::default());
    let mut outputs = Vec::new();
    let mut watermark = Time::MIN;
    for event in events {
        watermark = watermark.max(event.time);
        let (key, identity) = (CustomerKey::of(&event.customer), event.identity());
        partition.apply(&Record { watermark, payload: Payload::Event { event, key, identity } }, &mut u64::MAX.clone(), &mut outputs);
        outputs.clear();
    }
    partition
}

/// Ten rules of the pack, and these ten beside all forty.
fn packs() -> Result<(Arc<RuleSet>, Arc<RuleSet>), Box<dyn Error>> {
    let (head, rest) = RULES.split_once("\nsignals:\n").ok_or("the pack has no signals")?;
    let (signals, _) = rest.split_once("\ntests:\n").ok_or("the pack has no tests")?;
    let rules: Vec<&str> = signals.split("\n  - name: ").skip(1).collect();
    // By itself, without what others hold back.
    let alone = |rule: &str| rule.lines().filter(|line| !line.trim_start().starts_with("inhibited_by:")).collect::<Vec<_>>().join("\n");
    let ten: String = rules.iter().step_by(EVERY).map(|rule| format!("\n  - name: ten-{}", alone(rule))).collect();
    let compile = |signals: &str| {
        let file = RuleFile::parse("rules.yaml", &format!("{head}\nsignals:\n{signals}\n")).map_err(|errors| errors.to_string())?;
        Ok::<_, String>(Arc::new(file.rule_set(1)))
    };
    Ok((compile(&ten)?, compile(&format!("{ten}\n{signals}"))?))
}

fn sizes(partition: &Partition) {
    let mut bytes = Vec::new();
    let mut sizes: Vec<usize> =
        partition.customers().filter_map(|customer| encode_customer(customer, &mut bytes).ok().map(|()| bytes.len())).collect();
    sizes.sort_unstable();
    println!("encoded state under the whole pack: median {} bytes, largest {}", sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
}
