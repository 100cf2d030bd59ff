//! The state of one customer: small, bounded, and all that the engine remembers.

mod activity;
mod billing;
mod block_counts;
mod contacts;
mod counts;
mod goals;
mod last_word;
mod leaving;
mod login_days;
mod onboarding;
mod outcomes;
mod own;
mod packed;
mod packed_reader;
mod packed_writer;
mod recent;
mod references;
mod relation;
mod removed;
mod room;
mod stored;
mod support;
mod table;
mod usage_weeks;
mod user;
mod user_caches;
mod users;

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

pub use activity::{Activity, FeatureChange, MAX_PRODUCT_FEATURES};
pub use billing::{Billing, Invoice, MAX_INVOICES, MAX_SUBSCRIPTIONS, Subscription};
pub use contacts::{Contacts, MAX_CONTACTS};
pub use counts::Counts;
pub use goals::{Goals, MAX_GOALS};
pub use last_word::{LastWord, Stamp};
pub use leaving::Leaving;
pub(crate) use leaving::SESSIONS_WINDOW_DAYS;
pub use login_days::LoginDays;
pub use onboarding::{Invitation, MAX_INVITATIONS, MAX_MILESTONES, Onboarding};
pub use outcomes::{MAX_PENDING_OUTCOMES, Outcomes, PendingOutcome};
pub use own::Own;
pub(crate) use packed::{Packed, PackedReader, PackedWriter};
pub use recent::{RECENT_IDS, RecentIds};
pub use references::{EventReference, References};
pub use relation::{Incident, MAX_INCIDENTS, MAX_NOTES, MAX_QUOTAS, Note, Quota, Relation};
pub use removed::MAX_REMOVED;
pub use room::{MAX_EPISODES_BYTES, MAX_STATE_BYTES};
pub use stored::Packer;
pub(crate) use support::RATINGS_WINDOW_DAYS;
pub use support::{Answer, MAX_ANSWERS, MAX_TICKETS, Support, Ticket};
pub use table::{Entry, Table};
pub use users::{ActiveCounts, MAX_USERS, UserChange, Users};

use crate::contribution::Contributed;
use crate::episode::{AtRisk, Episode};
use crate::event::CustomerKey;
use crate::event_type::EventTypes;
use crate::guard::RARITIES;
use crate::health::Health;
use crate::journey::Journey;
use crate::kpi::Ledger;

use crate::time::{Day, Time};

/// Every window of days or weeks is over after so many days: eighteen weeks and the rest of one.
const LONGEST_WINDOW_DAYS: i32 = 140;

/// Names of things are kept up to this length, so that a state stays within its bound.
pub const MAX_KEPT_NAME_BYTES: usize = 64;

/// The short hash by which names (product features, milestones, rules) are kept in a state.
#[must_use]
pub fn name_hash(name: &str) -> u32 {
    xxh3_64(name.as_bytes()) as u32
}

/// The name under which a thing is kept: itself, or for a long one its beginning and a hash.
#[must_use]
pub fn kept_name(name: &str) -> Cow<'_, str> {
    if name.len() <= MAX_KEPT_NAME_BYTES {
        return Cow::Borrowed(name);
    }
    let beginning =
        name.char_indices().map(|(index, one)| index + one.len_utf8()).take_while(|end| *end <= MAX_KEPT_NAME_BYTES - 17).last();
    Cow::Owned(format!("{}~{:016x}", &name[..beginning.unwrap_or(0)], xxh3_64(name.as_bytes())))
}

/// Makes room for one more thing in a list that most customers keep short: it doubles from one, where `Vec` starts with four.
fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(1));
    }
}

/// What the account events told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Market segment.
    pub segment: LastWord<Box<str>>,
    /// Industry.
    pub industry: LastWord<Box<str>>,
    /// Country, for holiday calendars.
    pub country: LastWord<Box<str>>,
    /// Who of ours looks after the customer.
    pub owner: LastWord<Box<str>>,
}

/// The state of one customer. Parts that most customers never use are boxed and absent until an event needs them.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// The customer id.
    pub id: Box<str>,
    /// Days by which the customer's weeks are shifted, from the hash of its id.
    week_offset: u8,
    /// When the account was created, or else the earliest event: tenure runs from here.
    pub since: Time,
    /// Whether `since` comes from an account event.
    pub created: bool,
    /// The latest instant at which the customer was evaluated; it never goes back.
    pub clock: Time,
    /// When time alone may change a condition next.
    pub clock_due: Time,
    /// The UTC midnight at which windows move next; never, when no window holds anything.
    pub midnight_due: Time,
    /// Types of events ever seen.
    pub seen: EventTypes,
    /// Identities of the last events.
    pub recent: RecentIds,
    /// The latest event of each family, for evidence.
    pub references: References,
    /// Logins and usage.
    pub activity: Activity,
    /// Subscriptions and invoices.
    pub billing: Billing,
    /// Segment, country, owner.
    pub account: Account,
    /// Tickets and surveys.
    pub support: Option<Box<Support>>,
    /// Cancellation page and notice.
    pub leaving: Option<Box<Leaving>>,
    /// Contacts, notes, incidents, goals, quotas.
    pub relation: Option<Box<Relation>>,
    /// Milestones and invitations.
    pub onboarding: Option<Box<Onboarding>>,
    /// What was paid by month, and campaigns.
    pub ledger: Option<Box<Ledger>>,
    /// Health score and stage.
    pub health: Health,
    /// Since when it is in that stage, and the stages before.
    pub journey: Journey,
    /// When a customer of this id was erased: what is dated before is dropped.
    pub erased_at: Option<Time>,
    /// What the own features of the rule set know.
    pub own: Option<Box<Own>>,
    /// Open, pending and cooling episodes.
    pub episodes: Vec<Episode>,
    /// How many at-risk episodes are open.
    pub at_risk: AtRisk,
    /// Ended episodes that wait for their outcome, and what outcomes depend on.
    pub outcomes: Option<Box<Outcomes>>,
    /// What this customer adds to the aggregates of its partition.
    pub contributed: Contributed,
    /// Number of the rule set under which it does.
    pub contributed_under: u32,
    /// The rules that need not be looked at.
    pub(crate) asleep: Asleep,
    /// From this day on nothing is missing for lack of room. It follows from the parts, and is not stored.
    pub(crate) known_from: Day,
}

/// Rules about which nothing is going on, by the rarity of the guard that does not hold, one bit each. It saves work and decides nothing, so it
/// is no part of what makes states equal, and is not stored.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asleep(pub [u128; RARITIES]);

impl PartialEq for Asleep {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Customer {
    /// A customer of whom the first event is about to be folded.
    #[must_use]
    pub fn new(id: &str, first_event: Time) -> Self {
        Self {
            id: id.into(),
            week_offset: Self::week_offset(CustomerKey::of(id)),
            since: first_event,
            created: false,
            clock: Time::MIN,
            clock_due: Time::NEVER,
            midnight_due: Time::NEVER,
            seen: EventTypes::default(),
            recent: RecentIds::default(),
            references: References::default(),
            activity: Activity::default(),
            billing: Billing::default(),
            account: Account::default(),
            support: None,
            leaving: None,
            relation: None,
            onboarding: None,
            ledger: None,
            health: Health::default(),
            journey: Journey::default(),
            own: None,
            erased_at: None,
            episodes: Vec::new(),
            at_risk: AtRisk::default(),
            outcomes: None,
            contributed: Contributed::default(),
            contributed_under: 0,
            asleep: Asleep::default(),
            known_from: Day(0),
        }
    }

    /// When the next review is due.
    #[must_use]
    pub fn next_review(&self) -> Time {
        self.clock_due.min(self.midnight_due)
    }

    fn week_offset(key: CustomerKey) -> u8 {
        ((key.0 >> 64) as u64 % 7) as u8
    }

    /// The customer's own week that holds a day. Weekly checks are spread over the week by a hash of the customer.
    #[must_use]
    pub fn week(&self, day: Day) -> i32 {
        day.0.saturating_add(i32::from(self.week_offset)).div_euclid(7)
    }

    /// Whether no window holds anything that could leave it at a midnight to come.
    #[must_use]
    pub fn is_quiet(&self, today: Day) -> bool {
        let latest = self.references.iter().map(|reference| reference.time.day()).max().unwrap_or(Day(0));
        today.0 - latest.0 > LONGEST_WINDOW_DAYS && self.billing.is_quiet(today) && self.health.is_quiet(today)
    }

    /// The time of the notice that stands.
    #[must_use]
    pub fn notice_at(&self) -> Option<Time> {
        self.leaving.as_ref()?.notice_at(self.billing.last_start())
    }
}
