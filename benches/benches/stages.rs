//! Each hot stage alone: reading, parsing, sequencing, folding, encoding a state, evaluating a condition.

use std::path::Path;

use bellwether_benches::{rules, sample_lines};
use bellwether_codec::event::Decoder;
use bellwether_codec::health_record::{HealthRecord, digest};
use bellwether_codec::intake::{InputSpec, Intake, RawEpoch, Sequencer, decode_lines};
use bellwether_codec::state::{decode_customer, encode_customer};
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::expression::{Expected, Scope, compile};
use bellwether_engine::feature::symbols;
use bellwether_engine::partition::{Header, Partition, Payload, Record};
use bellwether_engine::time::Time;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const LINES: usize = 100_000;

/// As a replay does it.
const PART_LINES: usize = 1_024;

fn stages(criterion: &mut Criterion) {
    let Some(lines) = sample_lines("crm6.jsonl.zst", LINES) else {
        eprintln!("no sample log: set BELLWETHER_SAMPLE_LOGS");
        return;
    };
    let decoder = Decoder::default();
    let mut group = criterion.benchmark_group("stages");
    group.sample_size(10);
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| lines.iter().filter(|line| decoder.decode_text(line).is_ok()).count());
    });
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("sample.jsonl");
    std::fs::write(&path, lines.join("\n")).expect("room for the sample");
    group.bench_function("read and split", |bencher| bencher.iter(|| read(&path).len()));
    let epochs = read(&path);
    group.bench_function("decode with hashes", |bencher| {
        let parts = || epochs.iter().flat_map(|raw| raw.lines.chunks(PART_LINES).map(move |lines| (raw, lines)));
        bencher.iter(|| parts().map(|(raw, lines)| decode_lines(raw, lines, &decoder, false).len()).sum::<usize>());
    });
    let decoded: Vec<_> = epochs.iter().map(|raw| decode_lines(raw, &raw.lines, &decoder, false)).collect();
    group.bench_function("sequence", |bencher| {
        bencher.iter(|| {
            let mut sequencer = Sequencer::new(4);
            decoded.iter().map(|lines| sequencer.sequence_lines(lines, None).rejected.len()).sum::<usize>()
        });
    });
    let events: Vec<Event<'_>> = lines.iter().filter_map(|line| decoder.decode_text(line).ok()).collect();
    group.bench_function("fold", |bencher| bencher.iter(|| fold(&events)));
    group.finish();
    let partition = fold(&events);
    let mut bytes = Vec::new();
    let Some(customer) = partition.customers().max_by_key(|customer| customer.activity.logins.sum(customer.clock.day().0, 0, 56)) else {
        return;
    };
    let mut group = criterion.benchmark_group("state");
    group.bench_function("encode", |bencher| bencher.iter(|| encode_customer(customer, &mut bytes).is_ok()));
    group.bench_function("decode", |bencher| bencher.iter(|| decode_customer(&bytes).is_ok()));
    group.bench_function("digest of health", |bencher| bencher.iter(|| digest(customer, partition.rules(), &mut bytes)));
    group.bench_function("health record", |bencher| {
        bencher.iter(|| HealthRecord::of(customer, partition.rules()).to_binary());
    });
    group.finish();
    let scope = Scope { symbols: &symbols(), params: &[] };
    let Ok(condition) = compile("logins_7d >= 3 && usage_28d < 100 || seats > 5", Expected::Boolean, &scope) else { return };
    criterion.bench_function("condition of three terms", |bencher| {
        bencher.iter(|| condition.is_true(&|feature| std::hint::black_box(f64::from(feature))));
    });
}

fn read(path: &Path) -> Vec<RawEpoch> {
    let mut intake = Intake::open(&[InputSpec::from(path)], None, || None).expect("a readable sample");
    std::iter::from_fn(|| intake.next_epoch().expect("a readable sample")).collect()
}

fn fold(events: &[Event<'_>]) -> Partition {
    let mut partition = Partition::new(rules(), Header::default());
    let mut outputs = Vec::new();
    let mut watermark = Time::MIN;
    for event in events {
        watermark = watermark.max(event.time);
        let payload = Payload::Event { event, key: CustomerKey::of(&event.customer), identity: event.identity() };
        partition.apply(&Record { watermark, payload }, &mut u64::MAX.clone(), &mut outputs);
    }
    partition
}

criterion_group!(benches, stages);
criterion_main!(benches);
