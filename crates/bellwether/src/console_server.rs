//! The guarded listener of a run: what it offers depends on the kind of run.

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::MAX_LINE_BYTES;
use bellwether_console::guarded::{self, Offered, SetLogLevel, Taking};
use bellwether_console::settings::ConsoleSettings;
use bellwether_live::arrivals::{self, Arrivals, NotTaken};
use bellwether_live::embedded::AfterFiles;
use bellwether_live::kafka::{Intake, JournalTopic, MAX_POSTED_EVENT_BYTES};
use bellwether_live::metrics::Metrics;

use crate::configuration::host_name;
use crate::failure::Failure;
use crate::inputs::ingest_clock;
use crate::terminal::tell;

/// What the listener gets from the run.
pub struct Run<'r> {
    /// Metrics, and with them the committed states.
    pub metrics: &'r Arc<Metrics>,
    /// The word to stop.
    pub stop: &'r Arc<AtomicBool>,
    /// Sets what is logged.
    pub set_log_level: &'r SetLogLevel,
    /// The name of this instance; without one the host's.
    pub instance: Option<&'r str>,
}

impl Run<'_> {
    /// Serves beside an embedded run, and tells what that does after its files.
    pub fn serve_embedded(&self, settings: Option<ConsoleSettings>, decoder: Decoder, once: bool) -> Result<AfterFiles, Failure> {
        let Some(settings) = settings else { return Ok(AfterFiles::End) };
        let takes_events = settings.take_events && !once;
        let (taking, arrivals): (Option<Taking>, Option<Arrivals>) = if takes_events {
            let (inlet, arrivals) = arrivals::queue(NotTaken::Closed);
            (Some(Taking { inlet, decoder, max_event_bytes: MAX_LINE_BYTES, is_held_by_pause: true }), Some(arrivals))
        } else {
            (None, None)
        };
        self.serve(settings, taking, None, true)?;
        Ok(match arrivals {
            Some(arrivals) => AfterFiles::Serve(arrivals),
            None if once => AfterFiles::End,
            None => AfterFiles::Stay,
        })
    }

    /// Serves beside a Kafka run, and gives what that is to take in. `decoder` is that of the source that reads the events.
    pub fn serve_beside_kafka(
        &self,
        settings: Option<ConsoleSettings>,
        decoder: Decoder,
        journal: JournalTopic,
    ) -> Result<Option<Intake>, Failure> {
        let Some(settings) = settings else { return Ok(None) };
        let Some(topic) = settings.events_topic.clone() else { return self.serve(settings, None, Some(journal), true).map(|()| None) };
        let journal_patience = settings.journal_patience();
        let (inlet, arrivals) = arrivals::queue(NotTaken::Unreachable);
        let taking = Taking { inlet, decoder: decoder.clone(), max_event_bytes: MAX_POSTED_EVENT_BYTES, is_held_by_pause: false };
        self.serve(settings, Some(taking), Some(journal), true)?;
        Ok(Some(Intake { arrivals: Mutex::new(arrivals), topic, decoder, journal_patience }))
    }

    /// Serves what is there to be looked at, on the default address, or on any free port if that is taken.
    pub fn serve_somewhere(&self) -> Result<(), Failure> {
        let settings = ConsoleSettings::to_look_at();
        let any_port = ConsoleSettings { address: SocketAddr::from(([127, 0, 0, 1], 0)), ..settings.clone() };
        self.serve(settings, None, None, false).or_else(|_| self.serve(any_port, None, None, false))
    }

    fn serve(
        &self,
        settings: ConsoleSettings,
        taking: Option<Taking>,
        journal: Option<JournalTopic>,
        can_pause: bool,
    ) -> Result<(), Failure> {
        let offered = Offered {
            metrics: self.metrics.clone(),
            stop: self.stop.clone(),
            taking,
            clock: ingest_clock,
            set_log_level: self.set_log_level.clone(),
            instance: self.instance.map_or_else(host_name, str::to_owned),
            can_pause,
            journal,
        };
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let address = guarded::serve(settings, offered).map_err(|error| {
            Failure::Run(format!(
                "the console cannot be served: {error}. See the section `console` of the configuration; port 0 of `address` takes any"
            ))
        })?;
        tell(&format!("the console is at {scheme}://{address}/"));
        Ok(())
    }
}
