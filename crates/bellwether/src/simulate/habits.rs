//! What a customer uses the product for: its favourite features, its season, the level of its quota.

use super::calendar::{Day, date_of};
use super::company::Profile;
use super::random::Random;

/// Features that people use.
pub const FEATURES: [&str; 10] =
    ["dashboard", "reports", "projects", "tasks", "files", "automations", "exports", "integrations", "search", "comments"];
/// The feature that only higher plans pay for.
pub const PAID_FEATURE_NAME: &str = "audit-log";
/// How much of last week's deviation stays, and how much is new, beside the chance of each single login. With it the weekly use of half of the
/// customers varies by more than two fifths of their mean, week after week alike: more than by the 0.30 without memory of Gold's published simulator
/// (Fighting Churn with Data; SSRN 4540160), which was fitted to real companies.
const PERSISTENCE: f64 = 0.5;
const NEW_DEVIATION: f64 = 0.2;
/// Chance of a week that a healthy customer has less to do for a while: a project is over, people are on training or on leave.
const DIP: f64 = 1.0 / 200.0;
/// How long that lasts, in days, and what is left of the use meanwhile.
const DIP_DAYS: (Day, Day) = (10, 35);
const DIP_LEVEL: (f64, f64) = (0.35, 0.75);
/// Features that machines use.
pub const MACHINE_FEATURES: [&str; 3] = ["api-read", "api-write", "webhooks"];

/// How a customer with a season uses the product through the year.
#[derive(Clone, Copy, Debug)]
pub enum Season {
    /// Little in July and August.
    Summer,
    /// Little in December and January.
    Winter,
    /// Little outside the last month of each quarter.
    Quarter,
}

impl Season {
    /// What is left of the ordinary level on that day.
    pub fn level(self, today: Day) -> f64 {
        match (self, date_of(today).month()) {
            (Season::Summer, 7 | 8) | (Season::Winter, 12 | 1) => 0.3,
            (Season::Quarter, month) if month % 3 != 0 => 0.5,
            _ => 1.0,
        }
    }
}

/// How a customer uses the product.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// The features it uses most.
    pub favourites: [&'static str; 3],
    /// Its season, which only seasonal customers follow.
    pub season: Season,
    week_level: f64,
    dip_until: Day,
    dip_level: f64,
    /// The share of its quota that it uses when all is well.
    pub quota_level: f64,
    /// What the quota allows.
    pub quota_limit: u32,
    /// Invitations so far; also the number of the newest user.
    pub users_invited: u32,
    /// The number of the main contact.
    pub main_contact: u32,
}

impl Habits {
    /// Draws the habits of a customer.
    pub fn draw(profile: &Profile, random: &mut Random) -> Habits {
        let first = random.between(0, FEATURES.len() as i32 - 1) as usize;
        let favourite = |step: usize| FEATURES[(first + step) % FEATURES.len()];
        Habits {
            favourites: [favourite(0), favourite(3), favourite(7)],
            season: random.pick(&[Season::Summer, Season::Summer, Season::Winter, Season::Quarter]),
            week_level: 1.0,
            dip_until: profile.start,
            dip_level: 1.0,
            quota_level: random.range(0.25, 0.6),
            quota_limit: super::company::PLANS[profile.plan].quota_limit,
            users_invited: 0,
            main_contact: 1,
        }
    }

    /// How much more or less than usual is done on that day, for no reason that anybody would tell.
    pub fn level(&self, today: Day) -> f64 {
        self.week_level * if today < self.dip_until { self.dip_level } else { 1.0 }
    }

    /// A new week, at its Monday.
    pub fn begin_week(&mut self, monday: Day, random: &mut Random) {
        let deviation = PERSISTENCE * (self.week_level - 1.0) + random.range(-NEW_DEVIATION, NEW_DEVIATION);
        self.week_level = (1.0 + deviation).max(0.3);
        if random.chance(DIP) && monday >= self.dip_until {
            self.dip_until = monday + random.between(DIP_DAYS.0, DIP_DAYS.1);
            self.dip_level = random.range(DIP_LEVEL.0, DIP_LEVEL.1);
        }
    }
}
