//! What all customers share: the span of the log, the seed, and the incidents of the product.

use bellwether_engine::event_type::EventType;

use super::calendar::{Day, HOUR, MINUTE, Second, date_of, start_of};
use super::customer::Happened;
use super::event::{Data, Month, Reference};
use super::random::Random;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

/// The stream of chances of the company itself; customers have the numbers from 1 up.
const COMPANY_STREAM: u64 = 0;
/// Chance of an incident on a day.
const INCIDENT_CHANCE: f64 = 1.0 / 55.0;
/// Share of the incidents that are serious.
const SERIOUS_SHARE: f64 = 0.2;
/// Systems of which one has an outage, how many days that lasts, and the shortest log in which there is one.
const OUTAGE_SOURCES: [&str; 2] = ["auth", "product"];
const OUTAGE_DAYS: (Day, Day) = (6, 12);
const OUTAGE_LOG_DAYS: Day = 180;
/// The stream of chances of the outage.
const OUTAGE_STREAM: u64 = u64::MAX - 1;

/// What all customers share.
pub struct World {
    /// The seed of the company.
    pub seed: u64,
    /// The first day of the log.
    pub first_day: Day,
    /// The day after its last.
    pub log_end: Day,
    /// Incidents, in order of time.
    pub incidents: Vec<Incident>,
    /// The outage of one source, if there is one.
    pub outage: Option<Outage>,
}

/// A source that delivered nothing for a while, and then everything at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outage {
    /// The system whose events did not come.
    pub source: &'static str,
    /// The day from whose start on none came.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: Date,
    /// The day at whose start they began to come again.
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: Date,
}

/// An incident of the product, which some customers felt.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// The day it began.
    pub day: Day,
    /// When it began.
    pub start: Second,
    /// When it was over.
    pub end: Second,
    /// Its id.
    pub id: Reference,
    /// `minor` or `critical`.
    pub severity: &'static str,
}

impl World {
    /// Draws what happens to the company itself.
    pub fn draw(seed: u64, first_day: Day, log_end: Day) -> World {
        let mut random = Random::new(seed, COMPANY_STREAM);
        let mut incidents = Vec::new();
        for day in first_day..log_end {
            if random.chance(INCIDENT_CHANCE) {
                let start = start_of(day) + random.seconds(0, 24 * HOUR - 1);
                let end = start + random.seconds(20 * MINUTE, 6 * HOUR);
                let severity = if random.chance(SERIOUS_SHARE) { "critical" } else { "minor" };
                incidents.push(Incident {
                    day,
                    start,
                    end,
                    id: Reference { prefix: "INC", customer: None, number: incidents.len() as u32 + 1 },
                    severity,
                });
            }
        }
        World { seed, first_day, log_end, incidents, outage: draw_outage(seed, first_day, log_end) }
    }

    /// The incidents that began on a day.
    pub fn incidents_on(&self, day: Day) -> impl Iterator<Item = Incident> {
        self.incidents.iter().copied().filter(move |incident| incident.day == day)
    }
}

/// One outage between the middle of the log and its last fifth.
fn draw_outage(seed: u64, first_day: Day, log_end: Day) -> Option<Outage> {
    let mut random = Random::new(seed, OUTAGE_STREAM);
    let days = log_end - first_day;
    let from = first_day + random.between(days / 2, days * 4 / 5);
    let until = from + random.between(OUTAGE_DAYS.0, OUTAGE_DAYS.1);
    let outage = Outage { source: random.pick(&OUTAGE_SOURCES), from: date_of(from), until: date_of(until) };
    (days >= OUTAGE_LOG_DAYS).then_some(outage)
}

/// What the company itself paid in the month before, on the second day of each month.
pub struct Costs {
    random: Random,
    recorded: u32,
    customers: u32,
}

impl Costs {
    /// The costs of a company of that many customers.
    pub fn new(seed: u64, customers: u32) -> Costs {
        Costs { random: Random::new(seed, u64::MAX), recorded: 0, customers }
    }

    /// Adds what was recorded on that day to `out`.
    pub fn live(&mut self, today: Day, world: &World, out: &mut Vec<Happened>) {
        let month_before = date_of(today - 2);
        if date_of(today).day() != 2 || today - 2 < world.first_day {
            return;
        }
        for (kind, minor_a_customer) in [("acquisition", 1_900), ("retention", 700)] {
            self.recorded += 1;
            let amount_minor = (f64::from(self.customers) * f64::from(minor_a_customer) * self.random.range(0.8, 1.2)) as i64;
            let data = Data::Cost { kind, amount_minor, currency: "EUR", period: Month(month_before) };
            out.push(Happened {
                time: start_of(today) + 6 * HOUR,
                customer: None,
                sequence: self.recorded,
                kind: EventType::CostRecorded,
                data,
            });
        }
    }
}
