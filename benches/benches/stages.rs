//! Each hot stage alone: parsing, folding, encoding a state, evaluating a condition.

use bellwether_benches::{rules, sample_lines};
use bellwether_codec::event::Decoder;
use bellwether_codec::state::{decode_customer, encode_customer};
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::expression::{Expected, Scope, compile};
use bellwether_engine::feature::symbols;
use bellwether_engine::partition::{Header, Partition, Payload, Record};
use bellwether_engine::time::Time;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const LINES: usize = 100_000;

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
    group.finish();
    let scope = Scope { symbols: &symbols(), params: &[] };
    let Ok(condition) = compile("logins_7d >= 3 && usage_28d < 100 || seats > 5", Expected::Boolean, &scope) else { return };
    criterion.bench_function("condition of three terms", |bencher| {
        bencher.iter(|| condition.is_true(&|feature| std::hint::black_box(f64::from(feature))));
    });
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
