//! The planted stories: how common each is, whom it fits, and when it begins to show.

use super::calendar::{Day, months_after};
use super::company::{Profile, Term};
use super::random::Random;

/// What a customer's life is about: one row of the table each, in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Story {
    Healthy,
    Silent,
    SlowDecline,
    ChampionChange,
    OnboardingStall,
    TicketSpike,
    Dunning,
    PriceShopping,
    Unhappy,
    Incidents,
    Seasonal,
    ApiOnly,
    Intranet,
    SeatGrowth,
    QuotaLimit,
    HigherTier,
    Promoter,
    DormantUsers,
}

/// One row of the table of stories.
struct Row {
    story: Story,
    name: &'static str,
    /// Weight among the customers who leave, and among those who stay.
    leave: u32,
    stay: u32,
    /// Days from the start to the decision (of who stays: to the end of the log, at least) that the story needs.
    tenure: (Day, Day),
    /// Days from the first sign to the decision (of who stays: to the end of the episode).
    length: (Day, Day),
    /// Whether it also fits annual contracts.
    annual: bool,
}

const ANY: Day = Day::MAX;

/// The weights of the simulated company, all in one place. Of those who leave, `SILENT_SHARE` give no sign at all; the others are drawn
/// from here.
#[rustfmt::skip]
const TABLE: [Row; 18] = {
    use Story::*;
    [
        // Nothing is wrong, and nothing special happens.
        Row { story: Healthy,         name: "healthy",          leave: 0,  stay: 44, tenure: (0, ANY),   length: (0, 0),    annual: true },
        // Leaves by the book one day, without any sign: what no rule can find.
        Row { story: Silent,          name: "silent",           leave: 0,  stay: 0,  tenure: (0, ANY),   length: (0, 0),    annual: true },
        // Logins and usage fall, a favourite feature is dropped, the cancellation page is visited; then notice.
        Row { story: SlowDecline,     name: "slow-decline",     leave: 32, stay: 0,  tenure: (125, ANY), length: (30, 120), annual: true },
        // The main contact goes, the new one never logs in, usage follows.
        Row { story: ChampionChange,  name: "champion-change",  leave: 26, stay: 0,  tenure: (100, ANY), length: (35, 100), annual: true },
        // No milestones after the first, few logins, invitations nobody accepts.
        Row { story: OnboardingStall, name: "onboarding-stall", leave: 40, stay: 0,  tenure: (35, 130),  length: (30, 100), annual: false },
        // Many tickets, urgent ones ageing and reopened, bad ratings.
        Row { story: TicketSpike,     name: "ticket-spike",     leave: 12, stay: 2,  tenure: (75, ANY),  length: (14, 35),  annual: true },
        // Charges fail or invoices stay unpaid; who stays has paid in the end.
        Row { story: Dunning,         name: "dunning",          leave: 9,  stay: 5,  tenure: (28, ANY),  length: (32, 65),  annual: false },
        // Looks at the cancellation page for weeks and says why; who stays may even have given notice and withdrawn it.
        Row { story: PriceShopping,   name: "price-shopping",   leave: 12, stay: 4,  tenure: (45, ANY),  length: (14, 45),  annual: true },
        // Says so: NPS 0 to 6 from people who gave more before, low ratings, little change in use.
        Row { story: Unhappy,         name: "unhappy",          leave: 12, stay: 3,  tenure: (95, ANY),  length: (40, 100), annual: true },
        // Two or three serious incidents within four weeks.
        Row { story: Incidents,       name: "incidents",        leave: 8,  stay: 2,  tenure: (60, ANY),  length: (20, 28),  annual: true },
        // Usage dips every summer, every winter, or outside each quarter's last month: looks like decline, is none.
        Row { story: Seasonal,        name: "seasonal",         leave: 0,  stay: 7,  tenure: (0, ANY),   length: (0, 0),    annual: true },
        // Machines use the product: usage without users, never a login.
        Row { story: ApiOnly,         name: "api-only",         leave: 4,  stay: 5,  tenure: (125, ANY), length: (30, 120), annual: true },
        // People without identity: logins and usage without user.
        Row { story: Intranet,        name: "intranet",         leave: 4,  stay: 5,  tenure: (125, ANY), length: (30, 120), annual: true },
        // More and more users until every seat is taken; most then buy seats.
        Row { story: SeatGrowth,      name: "seat-growth",      leave: 0,  stay: 9,  tenure: (170, ANY), length: (50, 90),  annual: true },
        // A quota fills up to its limit and beyond; most then buy the next plan.
        Row { story: QuotaLimit,      name: "quota-limit",      leave: 0,  stay: 4,  tenure: (170, ANY), length: (50, 90),  annual: true },
        // Reads prices and tries features of a higher plan; some ask, most then buy.
        Row { story: HigherTier,      name: "higher-tier",      leave: 0,  stay: 4,  tenure: (120, ANY), length: (20, 40),  annual: true },
        // NPS 9 and 10, consent to marketing, praise, goals reached.
        Row { story: Promoter,        name: "promoter",         leave: 0,  stay: 7,  tenure: (0, ANY),   length: (0, 0),    annual: true },
        // Half of the users stop, the others go on.
        Row { story: DormantUsers,    name: "dormant-users",    leave: 0,  stay: 4,  tenure: (130, ANY), length: (60, 120), annual: true },
    ]
};

/// Share of those who leave that give no sign.
const SILENT_SHARE: f64 = 0.30;
/// Chance of leaving at the end of the third and fourth paid month, and of each later one.
const LEAVES_EARLY: f64 = 0.045;
const LEAVES_LATER: f64 = 0.019;
/// Chance of not renewing an annual contract.
const LEAVES_ANNUAL: f64 = 0.22;

/// How a customer leaves.
#[derive(Clone, Copy, Debug)]
pub struct Departure {
    /// The day it makes up its mind; none when it never does (unpaid invoices).
    pub decision: Option<Day>,
    /// The day of its notice; none when it gives none.
    pub notice: Option<Day>,
    /// The day its subscription ends.
    pub end: Day,
}

/// The course of a customer's life.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// What it is about.
    pub story: Story,
    /// The first day on which the story may show.
    pub from: Day,
    /// The decision, or the last day of the episode.
    pub until: Day,
    /// How the customer leaves, if it does.
    pub departure: Option<Departure>,
}

impl Story {
    /// The names of all stories.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.name)
    }

    /// Its name in `truth.csv`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl Plot {
    /// Draws the life of a customer from its start to the end of the log.
    pub fn draw(profile: &Profile, log_end: Day, random: &mut Random) -> Plot {
        match draw_departure(profile, log_end, random) {
            Some(departure) => leaving(profile, departure, random),
            None => staying(profile, log_end, random),
        }
    }

    /// How far the story has come: 0 before it shows, rising to 1 at its end and staying there.
    pub fn progress(&self, today: Day) -> f64 {
        let length = f64::from((self.until - self.from).max(1));
        (f64::from(today - self.from) / length).clamp(0.0, 1.0)
    }

    /// Whether the story is going on.
    pub fn is_on(&self, today: Day) -> bool {
        (self.from..=self.until).contains(&today)
    }

    /// Whether notice has been given by then.
    pub fn gave_notice(&self, today: Day) -> bool {
        self.departure.and_then(|departure| departure.notice).is_some_and(|notice| today >= notice)
    }
}

/// Whether, and how, somebody who just decides to leave does so: at the end of a paid period, with notice as the contract asks.
fn draw_departure(profile: &Profile, log_end: Day, random: &mut Random) -> Option<Departure> {
    let period = profile.term.months();
    let mut months = if period == 1 { 3 } else { period };
    loop {
        let end = months_after(profile.start, months);
        let (notice, hesitation) = match profile.term {
            Term::Monthly => (random.between(4, 27), random.between(2, 14)),
            Term::Annual => (random.between(30, 60), random.between(5, 30)),
        };
        let departure = Departure { decision: Some(end - notice - hesitation), notice: Some(end - notice), end };
        if end - 90 >= log_end {
            return None;
        }
        let chance = match profile.term {
            Term::Monthly if months <= 4 => LEAVES_EARLY,
            Term::Monthly => LEAVES_LATER,
            Term::Annual => LEAVES_ANNUAL,
        };
        if random.chance(chance) && end - notice - hesitation < log_end {
            return Some(departure);
        }
        months += period;
    }
}

fn leaving(profile: &Profile, mut departure: Departure, random: &mut Random) -> Plot {
    let decision = departure.decision.unwrap_or(departure.end);
    let tenure = decision - profile.start;
    let fitting: Vec<_> = TABLE
        .iter()
        .filter(|row| row.tenure.0 <= tenure && tenure <= row.tenure.1 && (row.annual || profile.term == Term::Monthly))
        .collect();
    let weights: Vec<_> = fitting.iter().map(|row| (row.story, row.leave)).collect();
    if random.chance(SILENT_SHARE) || weights.iter().all(|(_, weight)| *weight == 0) {
        return Plot { story: Story::Silent, from: decision, until: decision, departure: Some(departure) };
    }
    let story = random.pick_weighted(&weights);
    let length = random.between(story.row().length.0, story.row().length.1);
    let from = match story {
        Story::OnboardingStall => profile.start,
        Story::Dunning => {
            // It would have gone on at `end`, but from the payment due then it does not pay.
            let unpaid_from = departure.end;
            let patience = if profile.pays_by_card { random.between(21, 27) } else { random.between(55, 75) };
            departure = Departure { decision: None, notice: None, end: unpaid_from + patience };
            return Plot { story, from: unpaid_from, until: departure.end, departure: Some(departure) };
        }
        _ => (decision - length).max(profile.start + 30),
    };
    Plot { story, from, until: decision, departure: Some(departure) }
}

fn staying(profile: &Profile, log_end: Day, random: &mut Random) -> Plot {
    let presence = log_end - profile.start;
    let fitting = |row: &&Row| row.tenure.0 <= presence && (row.annual || profile.term == Term::Monthly);
    let weights: Vec<_> = TABLE.iter().filter(fitting).map(|row| (row.story, row.stay)).collect();
    let story = random.pick_weighted(&weights);
    let row = story.row();
    let length = random.between(row.length.0, row.length.1);
    // Episodes that begin after the base lines of the rules stand prove more; late comers have theirs earlier.
    let earliest = profile.start + 120.min((presence - row.length.1) / 2).max(30);
    let latest = (log_end - row.length.1 - 20).min(profile.start + 300);
    let from = random.between(earliest, latest.max(earliest));
    Plot { story, from, until: from + length, departure: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_stories() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.story as usize, index, "{}", row.name);
        }
    }
}
