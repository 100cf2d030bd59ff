//! One customer: what it is, what it has planned, and how it lives through a day.

use std::collections::BTreeMap;

use bellwether_engine::event_type::EventType;

use super::billing::Contract;
use super::calendar::{Day, Second, day_at, start_of};
use super::company::Profile;
use super::event::Data;
use super::habits::Habits;
use super::random::Random;
use super::stories::{Plot, Story};
use super::support::Support;
use super::surveys::Surveys;
use super::world::World;
use super::{activity, billing, growth, leaving, onboarding, relation, support, surveys, team};

/// An event that happened, ready to be written.
#[derive(Clone, Copy)]
pub struct Happened {
    /// When.
    pub time: Second,
    /// To which customer; none for the company's own.
    pub customer: Option<u32>,
    /// Counted from 1 within the customer, in order of time.
    pub sequence: u32,
    /// Its type.
    pub kind: EventType,
    /// What else is to be said.
    pub data: Data,
}

/// What became of a customer, as far as the log tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct History {
    /// The notice that was not withdrawn.
    pub notice: Option<Day>,
    /// The end of the subscription.
    pub end: Option<Day>,
    /// The first purchase of more.
    pub upsell: Option<Day>,
    /// Monthly revenue after the last event.
    pub mrr_minor: i64,
}

/// The streams of chances of deliveries are those from here up.
const DELIVERY_STREAMS: u64 = 1 << 40;

/// A customer on its way through the log.
pub struct Customer {
    /// What hardly changes.
    pub profile: Profile,
    /// What its life is about.
    pub plot: Plot,
    /// Its own stream of chances.
    pub random: Random,
    /// The chances of its events on their way to us: apart, so that what happens does not depend on them.
    pub delivery: Random,
    /// What it pays for.
    pub contract: Contract,
    /// Its people.
    pub team: Vec<team::Member>,
    /// How it uses the product.
    pub habits: Habits,
    /// Its tickets.
    pub support: Support,
    /// What it has been asked.
    pub surveys: Surveys,
    /// How we stand with it.
    pub relation: relation::Relation,
    /// What became of it.
    pub history: History,
    agenda: BTreeMap<(Second, u32), (EventType, Data)>,
    planned: u32,
    happened: u32,
}

impl Customer {
    /// Draws customer number `number` of the company with that seed.
    pub fn draw(number: u32, world: &World) -> Customer {
        let mut random = Random::new(world.seed, u64::from(number) + 1);
        let profile = Profile::draw(number, world.first_day, world.log_end, &mut random);
        let plot = Plot::draw(&profile, world.log_end, &mut random);
        Customer {
            contract: Contract::first(&profile),
            team: Vec::new(),
            habits: Habits::draw(&profile, &mut random),
            support: Support::default(),
            surveys: Surveys::draw(&profile, &plot, &mut random),
            relation: relation::Relation::draw(&profile, &plot, &mut random),
            history: History::default(),
            agenda: BTreeMap::new(),
            planned: 0,
            happened: 0,
            profile,
            plot,
            random,
            delivery: Random::new(world.seed, DELIVERY_STREAMS + u64::from(number)),
        }
    }

    /// Lives through one day, and adds what happened on it to `out`, in order of time.
    pub fn live(&mut self, today: Day, world: &World, out: &mut Vec<Happened>) {
        if today < self.profile.start || self.history.end.is_some() {
            return;
        }
        // The first day belongs to onboarding: nothing comes before the account.
        if today == self.profile.start {
            onboarding::begin(self, today);
            return self.release(today, out);
        }
        billing::live(self, today);
        leaving::live(self, today);
        team::live(self, today);
        growth::live(self, today);
        activity::live(self, today);
        support::live(self, today);
        surveys::live(self, today);
        relation::live(self, today, world);
        self.release(today, out);
    }

    /// Plans an event for a time that is not yet over. What lies after the end of the subscription will not happen.
    pub fn plan(&mut self, time: Second, kind: EventType, data: Data) {
        self.planned += 1;
        self.agenda.insert((time, self.planned), (kind, data));
    }

    /// A moment of that day in the customer's office hours.
    pub fn office_time(&mut self, day: Day) -> Second {
        self.profile.office_time(day, &mut self.random)
    }

    /// Days since the first contract.
    pub fn tenure(&self, today: Day) -> Day {
        today - self.profile.start
    }

    /// Whether this is its story, and it is going on.
    pub fn is_in(&self, story: Story, today: Day) -> bool {
        self.plot.story == story && self.plot.is_on(today)
    }

    /// Whether this is its story, and it has begun.
    pub fn is_since(&self, story: Story, today: Day) -> bool {
        self.plot.story == story && today >= self.plot.from
    }

    fn release(&mut self, today: Day, out: &mut Vec<Happened>) {
        let tomorrow = start_of(today + 1);
        while let Some(entry) = self.agenda.first_entry()
            && entry.key().0 < tomorrow
        {
            let ((time, _), (kind, data)) = entry.remove_entry();
            self.happened += 1;
            self.remember(time, kind, &data);
            out.push(Happened { time, customer: Some(self.profile.number), sequence: self.happened, kind, data });
            if kind == EventType::SubscriptionEnded {
                self.agenda.clear();
            }
        }
    }

    fn remember(&mut self, time: Second, kind: EventType, data: &Data) {
        let day = day_at(time);
        match (kind, data) {
            (EventType::CancellationRequested, _) => self.history.notice = Some(day),
            (EventType::CancellationWithdrawn, _) => self.history.notice = None,
            (EventType::SubscriptionEnded, _) => {
                self.history.end = Some(day);
                self.history.mrr_minor = 0;
            }
            (_, Data::Subscription { mrr_minor, .. }) => {
                let before = self.history.mrr_minor;
                if before > 0 && mrr_minor * 100 >= before * 105 {
                    self.history.upsell = self.history.upsell.or(Some(day));
                }
                self.history.mrr_minor = *mrr_minor;
            }
            _ => {}
        }
    }
}
