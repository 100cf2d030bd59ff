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
    Narrowing,
    Contraction,
    QuietAsker,
    Holidays,
    Neglected,
    UnusedFeature,
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
///
/// Sources, and where this company is harder than they are:
/// - About a quarter of the churn of B2B software is involuntary (Recurly, churn rates of 1,200 subscription sites: 2.6 % voluntary and
///   0.8 % involuntary a month), so dunning is the most common single story among monthly customers.
/// - 17 % of business contacts change their role in a year (Salesforce Research 2017, 21 million professionals on LinkedIn), and most of
///   their companies stay: `stay` of the champion's change, and handovers in `team`.
/// - 73 % of those who left showed a decline at least 21 days before (vendors' own analyses): of ours 70 % show anything at all, and many of
///   them less than a decline.
/// - A good score keeps nobody, and a bad one drives nobody out: Net Promoter is no better a predictor than other measures (Keiningham et
///   al. 2007, Journal of Marketing 71), so ordinary people give a 6 too, and of the unhappy a quarter stay.
///
/// For nearly every story that ends in leaving there are customers with the same signs who stay.
#[rustfmt::skip]
const TABLE: [Row; 24] = {
    use Story::*;
    [
        // Nothing is wrong, and nothing special happens but what happens to all: weak weeks, holidays, tickets, a charge that fails.
        Row { story: Healthy,         name: "healthy",          leave: 0,  stay: 60, tenure: (0, ANY),   length: (0, 0),    annual: true },
        // Leaves by the book one day, without any sign: what no rule can find.
        Row { story: Silent,          name: "silent",           leave: 0,  stay: 0,  tenure: (0, ANY),   length: (0, 0),    annual: true },
        // Logins and usage fall by 40 to 95 %, a favourite feature is dropped; then notice. Who stays comes back.
        Row { story: SlowDecline,     name: "slow-decline",     leave: 34, stay: 3,  tenure: (125, ANY), length: (30, 120), annual: true },
        // The main contact goes, the new one never logs in, usage follows. Of who stays, the new one comes some weeks later.
        Row { story: ChampionChange,  name: "champion-change",  leave: 22, stay: 6,  tenure: (100, ANY), length: (35, 100), annual: true },
        // No milestones after the first, few logins, invitations nobody accepts. Who stays takes long, and arrives.
        Row { story: OnboardingStall, name: "onboarding-stall", leave: 40, stay: 3,  tenure: (35, 130),  length: (30, 100), annual: false },
        // Many tickets, urgent ones ageing and reopened, bad ratings.
        Row { story: TicketSpike,     name: "ticket-spike",     leave: 14, stay: 2,  tenure: (75, ANY),  length: (14, 35),  annual: true },
        // Charges fail or invoices stay unpaid; who stays has paid in the end.
        Row { story: Dunning,         name: "dunning",          leave: 36, stay: 5,  tenure: (28, ANY),  length: (32, 65),  annual: false },
        // Looks at the cancellation page for weeks and says why; who stays may even have given notice and withdrawn it.
        Row { story: PriceShopping,   name: "price-shopping",   leave: 14, stay: 3,  tenure: (45, ANY),  length: (14, 45),  annual: true },
        // Says so, where asked: NPS 0 to 6 from people who gave more before, low ratings, little change in use.
        Row { story: Unhappy,         name: "unhappy",          leave: 12, stay: 3,  tenure: (95, ANY),  length: (40, 100), annual: true },
        // Two or three serious incidents within four weeks.
        Row { story: Incidents,       name: "incidents",        leave: 8,  stay: 2,  tenure: (60, ANY),  length: (20, 28),  annual: true },
        // Usage dips every summer, every winter, or outside each quarter's last month: looks like decline, is none.
        Row { story: Seasonal,        name: "seasonal",         leave: 0,  stay: 6,  tenure: (0, ANY),   length: (0, 0),    annual: true },
        // Machines use the product: usage without users, never a login.
        Row { story: ApiOnly,         name: "api-only",         leave: 5,  stay: 5,  tenure: (125, ANY), length: (30, 120), annual: true },
        // People without identity: logins and usage without user.
        Row { story: Intranet,        name: "intranet",         leave: 5,  stay: 5,  tenure: (125, ANY), length: (30, 120), annual: true },
        // More and more users until every seat is taken; most then buy seats.
        Row { story: SeatGrowth,      name: "seat-growth",      leave: 0,  stay: 8,  tenure: (170, ANY), length: (50, 90),  annual: true },
        // A quota fills up to its limit and beyond; most then buy the next plan.
        Row { story: QuotaLimit,      name: "quota-limit",      leave: 0,  stay: 4,  tenure: (170, ANY), length: (50, 90),  annual: true },
        // Reads prices and tries features of a higher plan; some ask, most then buy.
        Row { story: HigherTier,      name: "higher-tier",      leave: 0,  stay: 4,  tenure: (120, ANY), length: (20, 40),  annual: true },
        // NPS 9 and 10, consent to marketing, praise, goals reached.
        Row { story: Promoter,        name: "promoter",         leave: 0,  stay: 6,  tenure: (0, ANY),   length: (0, 0),    annual: true },
        // Half of the users stop, the others go on.
        Row { story: DormantUsers,    name: "dormant-users",    leave: 0,  stay: 3,  tenure: (130, ANY), length: (60, 120), annual: true },
        // All users but one stop within three weeks; that one does everything.
        Row { story: Narrowing,       name: "narrowing",        leave: 9,  stay: 1,  tenure: (160, ANY), length: (90, 150), annual: true },
        // Cuts its seats by a fifth to two fifths, and later all of them.
        Row { story: Contraction,     name: "contraction",      leave: 9,  stay: 2,  tenure: (120, ANY), length: (30, 80),  annual: true },
        // Asks a lot for months, and then nothing more, while usage falls.
        Row { story: QuietAsker,      name: "quiet-asker",      leave: 7,  stay: 1,  tenure: (230, ANY), length: (50, 90),  annual: true },
        // The office is closed for two or three weeks at Christmas and for three or four in summer.
        Row { story: Holidays,        name: "holidays",         leave: 0,  stay: 6,  tenure: (0, ANY),   length: (0, 0),    annual: true },
        // We do not call any more, and do not answer wishes.
        Row { story: Neglected,       name: "neglected",        leave: 0,  stay: 2,  tenure: (150, ANY), length: (100, 140), annual: true },
        // Never uses a feature that its plan pays for.
        Row { story: UnusedFeature,   name: "unused-feature",   leave: 0,  stay: 2,  tenure: (0, ANY),   length: (0, 0),    annual: true },
    ]
};

/// Share of those who leave that give no sign.
const SILENT_SHARE: f64 = 0.30;
/// Chance of leaving at the end of the third and fourth paid month, and of each later one.
const LEAVES_EARLY: f64 = 0.045;
const LEAVES_LATER: f64 = 0.019;
/// Chance of not renewing an annual contract.
const LEAVES_ANNUAL: f64 = 0.22;
/// What share of its use a customer loses by the end of a decline: at worst nearly all, at best so little that it drowns in the noise.
const LOSS: (f64, f64) = (0.4, 0.95);
/// Share of the declines that begin slowly and end steeply; the others are even.
const STEEP: f64 = 0.5;

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
    /// The share of its use that is lost by the end, in stories in which use falls.
    pub loss: f64,
    /// Whether most of that is lost towards the end.
    pub steep: bool,
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

    /// Whether its signs are those of somebody who may leave.
    pub fn is_trouble(self) -> bool {
        self != Story::Silent && self.row().leave > 0 && !matches!(self, Story::ApiOnly | Story::Intranet)
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl Plot {
    /// Draws the life of a customer from its start to the end of the log.
    pub fn draw(profile: &Profile, log_end: Day, random: &mut Random) -> Plot {
        let plot = match draw_departure(profile, log_end, random) {
            Some(departure) => leaving(profile, departure, random),
            None => staying(profile, log_end, random),
        };
        Plot { loss: random.range(LOSS.0, LOSS.1), steep: random.chance(STEEP), ..plot }
    }

    /// What is left of the use of a customer whose use falls: of who leaves, less and less; of who stays, least in the middle.
    pub fn left(&self, today: Day) -> f64 {
        let progress = self.progress(today);
        let fallen = if self.departure.is_none() {
            1.0 - (2.0 * progress - 1.0).abs()
        } else if self.steep {
            progress * progress
        } else {
            progress
        };
        1.0 - self.loss * fallen
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
/// Between decision and notice lies less time than vendors report (2 to 8 weeks): a rule has to be earlier here.
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
        return Plot { story: Story::Silent, from: decision, until: decision, departure: Some(departure), loss: 0.0, steep: false };
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
            return Plot { story, from: unpaid_from, until: departure.end, departure: Some(departure), loss: 0.0, steep: false };
        }
        _ => (decision - length).max(profile.start + 30),
    };
    Plot { story, from, until: decision, departure: Some(departure), loss: 0.0, steep: false }
}

fn staying(profile: &Profile, log_end: Day, random: &mut Random) -> Plot {
    let presence = log_end - profile.start;
    let fitting = |row: &&Row| row.tenure.0 <= presence && (row.annual || profile.term == Term::Monthly);
    let weights: Vec<_> = TABLE.iter().filter(fitting).map(|row| (row.story, row.stay)).collect();
    let story = random.pick_weighted(&weights);
    let row = story.row();
    let length = random.between(row.length.0, row.length.1);
    if story == Story::OnboardingStall {
        return Plot { story, from: profile.start, until: profile.start + length, departure: None, loss: 0.0, steep: false };
    }
    // Episodes that begin after the base lines of the rules stand prove more; late comers have theirs earlier.
    let earliest = profile.start + 120.min((presence - row.length.1) / 2).max(30);
    let latest = (log_end - row.length.1 - 20).min(profile.start + 300);
    let from = random.between(earliest, latest.max(earliest));
    Plot { story, from, until: from + length, departure: None, loss: 0.0, steep: false }
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
