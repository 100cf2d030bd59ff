//! The way of events to us: most arrive when they happen, some late, some twice, and those of a source in an outage after it.

use bellwether_engine::event_type::{EventType, Family};

use super::calendar::{DAY, HOUR, MINUTE, Second, day_of, start_of};
use super::customer::Happened;
use super::event::system;
use super::random::Random;
use super::world::World;

/// Share of the events of clients and batch jobs that arrive within hours, and within days (somebody was offline).
const LATE: f64 = 0.005;
const VERY_LATE: f64 = 0.000_5;
/// Share of events that are delivered twice: every sender tries again when it does not hear that it was heard.
const TWICE: f64 = 0.002;
/// After an outage everything comes within so much time.
const CATCHING_UP: Second = 3 * HOUR;

/// An event as it arrives.
#[derive(Clone, Copy)]
pub struct Delivery {
    /// When it arrives: the order of the log.
    pub arrival: Second,
    /// What happened.
    pub event: Happened,
    /// 0, or 1 for the second time that it is delivered.
    pub copy: u32,
}

/// The order of the log. No two deliveries are equal.
pub type Key = (Second, u32, u32, u32);

impl Delivery {
    /// Its place in the log.
    pub fn key(&self) -> Key {
        (self.arrival, self.event.customer.unwrap_or(0), self.event.sequence, self.copy)
    }
}

/// Adds the deliveries of an event to `out`: one, or two. Whatever would arrive after the end of the log arrives in time.
pub fn deliver(event: Happened, world: &World, random: &mut Random, out: &mut Vec<Delivery>) {
    let end = start_of(world.log_end);
    let first = (event.time + delay(&event, world, random)).min(end - 1).max(event.time);
    out.push(Delivery { arrival: first, event, copy: 0 });
    if random.chance(TWICE) {
        let again = first + random.seconds(1, 10 * MINUTE);
        if again < end {
            out.push(Delivery { arrival: again, event, copy: 1 });
        }
    }
}

/// Two chances are drawn for every event, whatever becomes of it, so that an outage moves nothing else.
fn delay(event: &Happened, world: &World, random: &mut Random) -> Second {
    let (place, share) = (random.fraction(), random.fraction());
    let between = |low: Second, high: Second| low + (share * (high - low) as f64) as Second;
    if let Some(missing) = time_to_end_of_outage(event, world) {
        missing + between(0, CATCHING_UP)
    } else if !may_be_late(event.kind) {
        0
    } else if place < VERY_LATE {
        between(DAY, 4 * DAY)
    } else if place < VERY_LATE + LATE {
        between(MINUTE, 6 * HOUR)
    } else {
        0
    }
}

/// Contracts and what depends on them are booked when they happen; what clients and batch jobs send may be late.
fn may_be_late(kind: EventType) -> bool {
    matches!(kind.family(), Family::Login | Family::Usage | Family::Ticket | Family::Survey | Family::Campaign)
}

fn time_to_end_of_outage(event: &Happened, world: &World) -> Option<Second> {
    let outage = world.outage.filter(|outage| outage.source == system(event.kind))?;
    let (from, until) = (start_of(day_of(outage.from)), start_of(day_of(outage.until)));
    (from..until).contains(&event.time).then_some(until - event.time)
}
