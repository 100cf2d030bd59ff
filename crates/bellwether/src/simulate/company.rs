//! Who the customers are: plan, seats, prices, country, term and habits, drawn once for each.

use super::calendar::{Day, HOUR, Second, start_of};
use super::event::{Reference, User};
use super::random::Random;

/// How long a contract runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// From month to month.
    Monthly,
    /// From year to year, paid ahead.
    Annual,
}

impl Term {
    /// Its length in months.
    pub fn months(self) -> i32 {
        match self {
            Term::Monthly => 1,
            Term::Annual => 12,
        }
    }
}

/// What we sell.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Its name on the invoice.
    pub name: &'static str,
    /// The segment of those who buy it.
    pub segment: &'static str,
    /// Customers out of 100 who start with it.
    weight: u32,
    /// Fewest and most seats.
    seats: (i32, i32),
    /// Monthly price of a seat, in minor units.
    price_minor: i64,
    /// Chance of an annual contract.
    annual: f64,
    /// Chance of paying by card; the others pay by transfer.
    card: f64,
    /// Chance that a user logs in on a weekday: the more seats, the smaller.
    pub login_chance: f64,
    /// Tickets in a month.
    pub tickets_a_month: f64,
    /// Records that the quota allows.
    pub quota_limit: u32,
    /// Whether it pays for the feature that smaller plans do not have.
    pub pays_for_more: bool,
}

/// The plans, smallest first.
#[rustfmt::skip]
pub const PLANS: [Plan; 4] = [
    Plan { name: "starter", segment: "small", weight: 45, seats: (3, 5), price_minor: 1_200,
           annual: 0.15, card: 0.9, login_chance: 0.55, tickets_a_month: 0.4, quota_limit: 5_000, pays_for_more: false },
    Plan { name: "team", segment: "small", weight: 33, seats: (6, 10), price_minor: 1_900,
           annual: 0.35, card: 0.7, login_chance: 0.36, tickets_a_month: 0.7, quota_limit: 20_000, pays_for_more: false },
    Plan { name: "business", segment: "mid-market", weight: 15, seats: (12, 22), price_minor: 2_900,
           annual: 0.6, card: 0.3, login_chance: 0.27, tickets_a_month: 1.2, quota_limit: 100_000, pays_for_more: true },
    Plan { name: "enterprise", segment: "enterprise", weight: 7, seats: (24, 45), price_minor: 4_500,
           annual: 0.85, card: 0.05, login_chance: 0.23, tickets_a_month: 2.0, quota_limit: 500_000, pays_for_more: true },
];

/// Country, its currency, hours ahead of UTC, customers out of 100.
#[rustfmt::skip]
const COUNTRIES: [(Country, u32); 7] = [
    (Country { code: "DE", currency: "EUR", hours_ahead: 1 }, 26),
    (Country { code: "FR", currency: "EUR", hours_ahead: 1 }, 14),
    (Country { code: "NL", currency: "EUR", hours_ahead: 1 }, 10),
    (Country { code: "ES", currency: "EUR", hours_ahead: 1 }, 10),
    (Country { code: "IE", currency: "EUR", hours_ahead: 0 }, 5),
    (Country { code: "US", currency: "USD", hours_ahead: -6 }, 30),
    (Country { code: "CA", currency: "USD", hours_ahead: -5 }, 5),
];

const INDUSTRIES: [&str; 8] = ["software", "manufacturing", "retail", "logistics", "health", "education", "finance", "media"];
/// Those of ours who look after customers.
pub const OWNERS: [&str; 6] = ["csm-01", "csm-02", "csm-03", "csm-04", "csm-05", "csm-06"];
const METHODS: [&str; 3] = ["password", "google", "saml"];

/// Share of the customers who start in the first sixth of the log; the others come evenly, until a tenth before its end.
const STARTERS: f64 = 0.5;

#[derive(Clone, Copy, Debug)]
struct Country {
    code: &'static str,
    currency: &'static str,
    hours_ahead: i64,
}

/// What hardly changes in a customer's life.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Its number, which makes its id.
    pub number: u32,
    /// The day of the first contract.
    pub start: Day,
    /// Index of the first plan in [`PLANS`].
    pub plan: usize,
    /// The length of the contract.
    pub term: Term,
    /// By card at once, or by transfer within weeks.
    pub pays_by_card: bool,
    /// Seats of the first contract.
    pub seats: u32,
    /// Monthly price of a seat, in minor units, after its discount.
    pub seat_price_minor: i64,
    /// Share of the seats that are used when all is well.
    pub utilisation: f64,
    /// The currency of its invoices.
    pub currency: &'static str,
    /// The country of its office.
    pub country: &'static str,
    /// Its industry.
    pub industry: &'static str,
    /// Who looks after it.
    pub owner: &'static str,
    /// How its people sign in.
    pub login_method: &'static str,
    /// How far above or below the average its people's activity lies: gamma-distributed, as rates of customers are taken to be since
    /// Schmittlein, Morrison and Colombo (1987, Management Science 33).
    pub eagerness: f64,
    hours_ahead: i64,
}

impl Profile {
    /// Draws a customer that starts somewhere in a log from `first_day` up to, but without, `log_end`.
    pub fn draw(number: u32, first_day: Day, log_end: Day, random: &mut Random) -> Profile {
        let days = log_end - first_day;
        let start = first_day + if random.chance(STARTERS) { random.between(0, days / 6) } else { random.between(days / 6, days * 9 / 10) };
        let start = start.min(log_end - 1);
        let plan = random.pick_weighted(&[0, 1, 2, 3].map(|index: usize| (index, PLANS[index].weight)));
        let bought = PLANS[plan];
        let country = random.pick_weighted(&COUNTRIES);
        let term = if random.chance(bought.annual) { Term::Annual } else { Term::Monthly };
        let discount = random.range(0.85, 1.05) * if term == Term::Annual { 0.9 } else { 1.0 };
        Profile {
            number,
            start,
            plan,
            term,
            pays_by_card: random.chance(bought.card),
            seats: random.between(bought.seats.0, bought.seats.1) as u32,
            seat_price_minor: (bought.price_minor as f64 * discount) as i64 / 50 * 50,
            utilisation: random.range(0.58, 0.74),
            currency: country.currency,
            country: country.code,
            industry: random.pick(&INDUSTRIES),
            owner: random.pick(&OWNERS),
            login_method: random.pick(&METHODS),
            eagerness: random.gamma(),
            hours_ahead: country.hours_ahead,
        }
    }

    /// The id of something of this customer.
    pub fn reference(&self, prefix: &'static str, number: u32) -> Reference {
        Reference { prefix, customer: Some(self.number), number }
    }

    /// One of its users.
    pub fn user(&self, number: u32) -> User {
        User { customer: self.number, number }
    }

    /// A moment of that UTC day in its office hours, most likely about noon.
    pub fn office_time(&self, day: Day, random: &mut Random) -> Second {
        let local_hour = 7.0 + 5.4 * (random.fraction() + random.fraction());
        start_of(day) + (local_hour * HOUR as f64) as Second - self.hours_ahead * HOUR
    }

    /// How many users a number of seats has when all is well: over half, and under four fifths.
    pub fn users_of(&self, seats: u32) -> u32 {
        ((f64::from(seats) * self.utilisation + 0.5) as u32).min((seats * 4 - 1) / 5).max(seats.div_ceil(2)).max(1)
    }
}
