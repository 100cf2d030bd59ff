//! Reading: ends and gaps, looking up single records, patterns, going back, and how fast it is.

use std::time::{Duration, Instant};

use bellwether_kafka::{Batch, BrokerOptions, Client, Outgoing, Polled, Reader, Remedy, TopicPartition, Transaction};
use bellwether_tests::broker::Broker;
use bellwether_tests::raw_record::RawRecord;

use crate::support::{Worker, client, connection, eventually, make_narrow_topic, make_topic, options, push_too_large, transaction};

#[test]
fn the_end_is_known_in_spite_of_gaps_in_the_offsets() {
    let broker = Broker::shared();
    make_topic(broker, "ends", 3);
    let mut writer = client(BrokerOptions { subscription: Vec::new(), ..options(broker, "ends-writer", "ends") });
    let at = |partition| TopicPartition::new("ends", partition);
    // Partition 0: a record, the mark of its transaction, and what an aborted one left behind. Partition 1: a record and its mark. 2: nothing.
    writer.commit(&transaction("ends", &[(0, "a"), (1, "b")])).expect("it is committed");
    make_narrow_topic(broker, "ends-narrow");
    let mut aborted = transaction("ends", &[(0, "never")]);
    push_too_large(&mut aborted, "ends-narrow");
    writer.commit(&aborted).expect_err("the broker refuses the last record");
    eventually("there are two records and two marks", || writer.bounds(&at(0)) == Ok((0, 4)));

    let mut worker = Worker::new(options(broker, "ends", "ends"));
    worker.until("all partitions come", |worker| worker.mine.len() == 3);
    worker.until("both records are read", |worker| worker.read.len() == 2);
    let all = [at(0), at(1), at(2)];
    let ended = |worker: &mut Worker| worker.client.at_end(&all).expect("the client goes on");
    worker.until("all are at their ends", |worker| ended(worker) == [(at(0), 4), (at(1), 2), (at(2), 0)]);
    writer.commit(&transaction("ends", &[(1, "c")])).expect("it is committed");
    // At once, although a transaction is decided before its mark is written and its records can be read.
    assert_eq!(ended(&mut worker), [(at(0), 4), (at(2), 0)], "there is a record to read in the other");
    worker.until("it is read", |worker| worker.read.len() == 3);
    worker.until("all are at their ends", |worker| ended(worker) == [(at(0), 4), (at(1), 4), (at(2), 0)]);

    // Back to a record, and in another partition to a gap in which nothing is left: the end must not be taken from what was read before.
    worker.client.seek(&[(at(0), 1), (at(1), 2)]).expect("it can go back");
    assert_eq!(ended(&mut worker), [(at(0), 4), (at(2), 0)]);
    worker.until("the record is read again", |worker| worker.read.len() == 4);
    let (partition, _, value) = worker.read.last().expect("it was read");
    assert_eq!((partition, value.as_str()), (&at(1), "c"));
}

#[test]
fn a_record_is_found_at_an_offset_or_behind_it() {
    let broker = Broker::shared();
    make_topic(broker, "lookup-a", 1);
    make_topic(broker, "lookup-b", 2);
    let pattern = BrokerOptions { subscription: vec!["^lookup-[ab]$".into()], ..options(broker, "lookup", "lookup-a") };
    let mut worker = Worker::new(pattern);
    worker.until("all partitions come", |worker| worker.mine.len() == 3);
    assert_eq!(worker.client.subscribed_partitions(), Ok(worker.mine.iter().cloned().collect()));
    for value in ["x", "y"] {
        worker.client.commit(&transaction("lookup-b", &[(1, value)])).expect("it is committed");
    }
    let at = TopicPartition::new("lookup-b", 1);
    eventually("both are there", || worker.client.bounds(&at) == Ok((0, 4)));
    let mut found = |offset| {
        let batch = worker.client.read_one(&at, offset).expect("it can be read")?;
        batch.records().next().map(|record| record.offset)
    };
    assert_eq!([found(0), found(1), found(2), found(3), found(4), found(99)], [Some(0), Some(2), Some(2), None, None, None]);
    let nowhere = worker.client.bounds(&TopicPartition::new("lookup-b", 7)).expect_err("it does not exist");
    assert_eq!(nowhere.remedy, Remedy::Stop, "{nowhere}");
    let missing = BrokerOptions { subscription: vec!["lookup-none".into()], ..options(broker, "lookup-none", "lookup-none") };
    let missing = client(missing).subscribed_partitions().expect_err("it does not exist");
    assert_eq!(missing.remedy, Remedy::Stop, "{missing}");
}

#[test]
fn much_is_written_and_read_within_its_bounds() {
    const RECORDS: u32 = 200_000;
    const BATCH: u32 = 10_000;
    let broker = Broker::shared();
    make_topic(broker, "much", 1);
    let mut worker = Worker::new(options(broker, "much", "much"));
    worker.until("the partition comes", |worker| worker.mine.len() == 1);
    let value = "a customer event of common length, as text: ".repeat(5);
    let (start, mut transaction, mut slowest) = (Instant::now(), Transaction::default(), Duration::ZERO);
    for first in (0..RECORDS).step_by(BATCH as usize) {
        transaction.clear();
        for number in first..first + BATCH {
            let key = number.to_be_bytes();
            transaction.push(&Outgoing {
                topic: "much",
                partition: None,
                key: Some(&key),
                value: Some(value.as_bytes()),
                headers: &[],
                timestamp_ms: None,
            });
        }
        let begun = Instant::now();
        worker.client.commit(&transaction).expect("it is committed");
        slowest = slowest.max(begun.elapsed());
    }
    let written = start.elapsed();

    let (start, mut batch, mut read) = (Instant::now(), Batch::default(), 0);
    while read < RECORDS {
        batch.clear();
        let polled = worker.client.poll(&mut batch, 5000, 1 << 20, Duration::from_millis(20)).expect("it can be read");
        assert_eq!(polled, Polled::Records);
        assert!(batch.len() <= 5000 && batch.size_bytes() <= (1 << 20) + value.len() + 4, "{} records", batch.len());
        for record in batch.records() {
            assert_eq!(record.key, Some(&read.to_be_bytes()[..]));
            read += 1;
        }
    }
    let polled = start.elapsed();

    let start = Instant::now();
    let mut reader = Reader::new(connection(broker), TopicPartition::new("much", 0), 0..u64::MAX).expect("the options are right");
    let mut count = 0;
    let mut more = true;
    while more {
        batch.clear();
        more = reader.read(&mut batch, 50_000, 16 << 20).expect("it can be read");
        count += batch.len();
    }
    assert_eq!(count, RECORDS as usize);
    let speed = |took: Duration| f64::from(RECORDS) / took.as_secs_f64() / 1000.0;
    println!(
        "records of {} bytes, in thousands a second: written {:.0} (slowest commit {slowest:?}), polled {:.0}, replayed {:.0}",
        value.len(),
        speed(written),
        speed(polled),
        speed(start.elapsed())
    );
    let mut small = Duration::ZERO;
    for _ in 0..20 {
        let begun = Instant::now();
        worker.client.commit(&crate::support::transaction("much", &[(0, "small")])).expect("it is committed");
        small += begun.elapsed();
    }
    println!("a transaction of one record: {:?}", small / 20);
}

/// Any producer may write such a name, and the client library panics at it.
#[test]
fn a_header_whose_name_is_no_text_does_not_stop_the_reading() {
    let broker = Broker::shared();
    make_topic(broker, "odd-names", 1);
    let at = TopicPartition::new("odd-names", 0);
    let odd: [(&[u8], Option<&[u8]>); 5] =
        [(b"first", Some(b"1")), (b"\xff\xfe", Some(b"lost")), (b"none", None), (b"\xc3", None), (b"last", Some(b"\xff"))];
    RawRecord { value: b"odd", headers: &odd }.produce(&broker.bootstrap(), "odd-names", 0);
    RawRecord { value: b"plain", headers: &[] }.produce(&broker.bootstrap(), "odd-names", 0);
    let mut worker = Worker::new(options(broker, "odd-names", "odd-names"));
    worker.until("both are read", |worker| worker.read.len() == 2);
    assert_eq!(worker.read.iter().map(|(_, _, value)| value.as_str()).collect::<Vec<_>>(), ["odd", "plain"]);
    let batch = worker.client.read_some(&at, 0, 10).expect("they can be read");
    let headers: Vec<_> = batch.records().flat_map(|record| record.headers().collect::<Vec<_>>()).collect();
    let stand_in = ("unreadable-header-name", None);
    assert_eq!(headers, [("first", Some(&b"1"[..])), stand_in, ("none", None), stand_in, ("last", Some(b"\xff"))]);
}
