//! Ticks: the passing of time, written into journal partitions that were quiet.

use std::time::Duration;

use bellwether_codec::journal::{ARRIVAL_HEADER, CONTROL_HEADER, Control, WATERMARK_HEADER};
use bellwether_engine::time::Time;
use bellwether_kafka::{Outgoing, Transaction};

/// When each journal partition was last written to by this worker, and with which watermark.
#[derive(Clone, Debug)]
pub(crate) struct Ticks {
    interval_ms: i64,
    partitions: Vec<Written>,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    at: Time,
    watermark: Time,
}

impl Ticks {
    pub fn new(partitions: u16, interval: Duration, now: Time) -> Self {
        let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        Self { interval_ms, partitions: vec![Written { at: now, watermark: Time::MIN }; usize::from(partitions)] }
    }

    /// These partitions get records with this watermark.
    pub fn note(&mut self, partitions: &[u16], watermark: Time, now: Time) {
        for partition in partitions {
            self.partitions[usize::from(*partition)] = Written { at: now, watermark };
        }
    }

    /// Forgets what a clock has said that was ahead.
    pub fn not_after(&mut self, now: Time) {
        for Written { at, watermark } in &mut self.partitions {
            (*at, *watermark) = ((*at).min(now), (*watermark).min(now));
        }
    }

    /// Adds a tick for each partition that was quiet for the interval, if time has moved since.
    pub fn put(&mut self, watermark: Time, now: Time, journal: &str, transaction: &mut Transaction) {
        let (digits, written) = (watermark.0.to_string(), now.0.to_string());
        let headers = [
            (WATERMARK_HEADER, Some(digits.as_bytes())),
            (ARRIVAL_HEADER, Some(written.as_bytes())),
            (CONTROL_HEADER, Some(Control::Tick.name().as_bytes())),
        ];
        let value = Control::Tick.encode();
        for (number, written) in (0..).zip(&mut self.partitions) {
            if now.since_ms(written.at) >= self.interval_ms && watermark > written.watermark {
                *written = Written { at: now, watermark };
                transaction.push(&Outgoing {
                    topic: journal,
                    partition: Some(number),
                    key: None,
                    value: Some(&value),
                    headers: &headers,
                    timestamp_ms: None,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticked(ticks: &mut Ticks, watermark: i64, now: i64) -> Vec<i32> {
        let mut transaction = Transaction::default();
        ticks.put(Time(watermark), Time(now), "journal", &mut transaction);
        let mut partitions = Vec::new();
        let visited: Result<(), ()> = transaction.each(|record| {
            partitions.extend(record.partition);
            Ok(())
        });
        assert_eq!(visited, Ok(()));
        partitions
    }

    #[test]
    fn quiet_partitions_learn_that_time_has_passed() {
        let mut ticks = Ticks::new(3, Duration::from_millis(60), Time(0));
        assert_eq!(ticked(&mut ticks, 5, 59), [0; 0]);
        ticks.note(&[1], Time(5), Time(30));
        assert_eq!(ticked(&mut ticks, 50, 60), [0, 2]);
        assert_eq!(ticked(&mut ticks, 50, 90), [1]);
        assert_eq!(ticked(&mut ticks, 50, 900), [0; 0], "time stands still");
        assert_eq!(ticked(&mut ticks, 51, 900), [0, 1, 2]);
    }

    #[test]
    fn a_clock_that_was_ahead_holds_no_tick_back() {
        let mut ticks = Ticks::new(1, Duration::from_millis(60), Time(0));
        assert_eq!(ticked(&mut ticks, 9_000, 9_000), [0]);
        ticks.not_after(Time(100));
        assert_eq!((ticked(&mut ticks, 159, 159), ticked(&mut ticks, 160, 160)), (vec![], vec![0]));
    }
}
