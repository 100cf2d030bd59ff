//! An embedded run after its files: it stays, takes in what is received, and writes the passing of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_codec::intake::{DecodedEpoch, Line, RawEpoch, TICK_INTERVAL_MS};

use crate::arrivals::{Arrivals, Delivery, Taken};
use crate::error::LiveError;
use crate::session::Session;

/// What an input is called in dead letters that came over HTTP.
const RECEIVED: &str = "http";

/// How often a paused run looks whether it is resumed.
const PAUSE_CHECK: Duration = Duration::from_millis(50);

impl Session {
    /// Takes in what arrives until `stop` is set. The arrival of an event is its receipt, and time passes by the clock.
    pub(crate) fn serve(&mut self, arrivals: &Arrivals, stop: &AtomicBool) -> Result<(), LiveError> {
        arrivals.open();
        while !stop.load(Ordering::Relaxed) {
            self.wait_while_paused(stop);
            let deliveries = arrivals.take(Instant::now() + Duration::from_millis(TICK_INTERVAL_MS.unsigned_abs()), stop);
            if deliveries.is_empty() && stop.load(Ordering::Relaxed) {
                break;
            }
            self.take_received(&deliveries)?;
            deliveries.into_iter().for_each(|delivery| delivery.taken(Taken::Journaled));
        }
        Ok(())
    }

    /// Stays without taking anything in: what is committed can be read.
    pub(crate) fn stay(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(PAUSE_CHECK);
        }
    }

    /// Waits while somebody wants nothing to be taken in.
    pub(crate) fn wait_while_paused(&self, stop: &AtomicBool) {
        while !self.metrics.readers.paused().is_empty() && !stop.load(Ordering::Relaxed) {
            thread::sleep(PAUSE_CHECK);
        }
    }

    fn take_received(&mut self, deliveries: &[Delivery]) -> Result<(), LiveError> {
        let Some(now) = (self.options.ingest_clock)() else { return Ok(()) };
        let epoch = DecodedEpoch::decode(self.raw_epoch(deliveries), &self.options.decoder, true);
        let mut sequencer = self.state.sequencer.clone();
        let sequenced = sequencer.receive(&epoch, now);
        self.take_epoch(&epoch, &sequenced, &sequencer)
    }

    fn raw_epoch(&self, deliveries: &[Delivery]) -> RawEpoch {
        let (mut text, mut lines) = (Vec::new(), Vec::new());
        for (number, event) in (1..).zip(deliveries.iter().flat_map(|delivery| &delivery.events)) {
            let start = text.len() as u32;
            text.extend_from_slice(event);
            lines.push(Line { start, end: text.len() as u32, input: 0, number, offset: u64::from(start), flaw: None });
        }
        let (inputs, positions) = (Arc::from([RECEIVED.to_owned()]), self.state.inputs.clone());
        RawEpoch { number: self.state.next_epoch, text, lines, inputs, positions, is_end: true, is_last: false }
    }
}
