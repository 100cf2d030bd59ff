//! How we stand with the customer: touches, notes, goals, consent, campaigns, incidents, purchases that are due.

use bellwether_engine::event_type::EventType;

use super::calendar::{DAY, Day, HOUR, MINUTE, Second, date_of, is_weekend, start_of, weekday};
use super::company::{OWNERS, Profile};
use super::customer::Customer;
use super::event::{Data, Quarterly};
use super::random::Random;
use super::stories::{Plot, Story};
use super::world::{Incident, World};
use super::{growth, leaving, support};

/// Days between two touches by the owner.
const TOUCHES: (Day, Day) = (18, 55);
/// Chance of a wish for a feature on a day; share of wishes that are answered in time.
const WISH: f64 = 1.0 / 240.0;
const WISH_ANSWERED: f64 = 0.85;
const WISH_OF_THE_NEGLECTED: f64 = 1.0 / 20.0;
/// Chance that the owner changes on a day.
const OWNER_CHANGES: f64 = 1.0 / 900.0;
/// Share of the customers who feel an incident.
const AFFECTED: f64 = 0.08;
/// Share of the customers who consent to marketing.
const CONSENT: f64 = 0.6;

/// How we stand with a customer.
#[derive(Clone, Copy, Debug)]
pub struct Relation {
    next_touch: Day,
    goal_set: Day,
    goal_value: u32,
    notes: u32,
    incidents: u32,
    consent: bool,
    /// The day on which it buys more.
    pub buys_on: Option<Day>,
    /// The day on which it gets a discount.
    pub discount_on: Option<Day>,
}

impl Relation {
    /// Draws how the relation begins.
    pub fn draw(profile: &Profile, plot: &Plot, random: &mut Random) -> Relation {
        Relation {
            next_touch: profile.start + random.between(5, 20),
            goal_set: profile.start + random.between(20, 40),
            goal_value: 0,
            notes: 0,
            incidents: 0,
            consent: plot.story == Story::Promoter || random.chance(CONSENT),
            buys_on: None,
            discount_on: None,
        }
    }
}

/// Tells whether the customer wants to hear from us.
pub fn ask_for_consent(customer: &mut Customer, time: Second) {
    let marketing = customer.relation.consent;
    customer.plan(time, EventType::ConsentChanged, Data::Consent { marketing });
}

/// What happens between us on that day.
pub fn live(customer: &mut Customer, today: Day, world: &World) {
    growth::buy_if_due(customer, today);
    leaving::discount_if_due(customer, today);
    touch(customer, today);
    change_owner(customer, today);
    note(customer, today);
    pursue_goal(customer, today);
    campaign(customer, today);
    for incident in world.incidents_on(today) {
        if customer.random.chance(AFFECTED) {
            suffer(customer, incident);
        }
    }
    if customer.plot.story == Story::Incidents && today == customer.plot.from {
        suffer_again_and_again(customer, today);
    }
}

fn touch(customer: &mut Customer, today: Day) {
    if customer.is_in(Story::Neglected, today) {
        customer.relation.next_touch = today + 1;
    } else if today >= customer.relation.next_touch && !is_weekend(today) {
        customer.relation.next_touch = today + customer.random.between(TOUCHES.0, TOUCHES.1);
        let time = customer.office_time(today);
        let channel = customer.random.pick(&["call", "call", "email", "meeting"]);
        customer.plan(time, EventType::TouchRecorded, Data::Touch { channel });
    }
}

/// Now and then somebody else of ours looks after the customer.
fn change_owner(customer: &mut Customer, today: Day) {
    if customer.random.chance(OWNER_CHANGES) {
        customer.profile.owner = customer.random.pick(&OWNERS);
        let profile = customer.profile;
        let time = customer.office_time(today);
        let segment = customer.contract.plan().segment;
        customer.plan(
            time,
            EventType::AccountUpdated,
            Data::Account { segment, industry: profile.industry, country: profile.country, owner: profile.owner },
        );
    }
}

fn note(customer: &mut Customer, today: Day) {
    let is_neglected = customer.is_in(Story::Neglected, today);
    if customer.random.chance(if is_neglected { WISH_OF_THE_NEGLECTED } else { WISH }) {
        let is_answered = !is_neglected && customer.random.chance(WISH_ANSWERED);
        let answered = is_answered.then(|| customer.random.between(10, 75));
        write_note(customer, today, "feature_request", answered);
    }
    let praises = customer.plot.story == Story::Promoter;
    if customer.random.chance(if praises { 1.0 / 90.0 } else { 1.0 / 900.0 }) {
        write_note(customer, today, "praise", None);
    }
    if customer.random.chance(1.0 / 400.0) {
        write_note(customer, today, "observation", Some(30));
    }
    // Who looks after a customer in trouble cannot tell either whether it will leave.
    let feels_bad = customer.plot.story.is_trouble() && customer.plot.is_on(today);
    if customer.random.chance(if feels_bad { 1.0 / 120.0 } else { 1.0 / 2_000.0 }) {
        write_note(customer, today, "risk", Some(60));
    }
}

fn write_note(customer: &mut Customer, today: Day, kind: &'static str, resolved_after: Option<Day>) {
    customer.relation.notes += 1;
    let note = customer.profile.reference("note", customer.relation.notes);
    let time = customer.office_time(today);
    customer.plan(time, EventType::NoteRecorded, Data::Note { note, kind: Some(kind) });
    if let Some(days) = resolved_after {
        customer.plan(time + Second::from(days) * DAY, EventType::NoteResolved, Data::Note { note, kind: None });
    }
}

/// Every month the customer comes a little closer to its goal; the growing and the contented reach it.
fn pursue_goal(customer: &mut Customer, today: Day) {
    const TARGET: u32 = 100;
    let days = today - customer.relation.goal_set;
    let metric = "reports-a-week";
    if days < 0 || customer.plot.story == Story::OnboardingStall {
        return;
    }
    let time = start_of(today) + 20 * HOUR;
    if days == 0 {
        let due = Some(date_of(today + 360));
        customer.plan(time, EventType::GoalSet, Data::Goal { metric, target: Some(TARGET), value: None, due });
    } else if days % 30 == 0 && customer.relation.goal_value < TARGET {
        let thrives = matches!(customer.plot.story, Story::Promoter | Story::SeatGrowth);
        let steps = if thrives { (9, 16) } else { (0, 6) };
        let room = if thrives { TARGET } else { 92 };
        let step = customer.random.between(steps.0, steps.1) as u32;
        customer.relation.goal_value = (customer.relation.goal_value + step).min(room);
        let value = Some(customer.relation.goal_value);
        customer.plan(time, EventType::GoalProgressed, Data::Goal { metric, target: None, value, due: None });
    }
}

/// A newsletter on the third Tuesday of each quarter's second month, to those who want it.
fn campaign(customer: &mut Customer, today: Day) {
    let date = date_of(today);
    if date.month() % 3 != 2 || weekday(today) != 1 || !(15..=21).contains(&date.day()) || !customer.relation.consent {
        return;
    }
    let sent = start_of(today) + 9 * HOUR;
    let campaign = Quarterly(date);
    let user = Some(customer.profile.user(customer.habits.main_contact));
    let plain = Data::Campaign { campaign, user, amount_minor: None, currency: None };
    customer.plan(sent, EventType::CampaignSent, plain);
    if customer.random.chance(0.02) {
        customer.plan(sent + MINUTE, EventType::CampaignFailed, plain);
        return;
    }
    if !customer.random.chance(0.45) {
        return;
    }
    let opened = sent + customer.random.seconds(5 * MINUTE, 2 * DAY);
    customer.plan(opened, EventType::CampaignOpened, plain);
    if customer.random.chance(0.03) {
        customer.relation.consent = false;
        customer.plan(opened + MINUTE, EventType::CampaignUnsubscribed, plain);
        customer.plan(opened + MINUTE + 1, EventType::ConsentChanged, Data::Consent { marketing: false });
    } else if customer.random.chance(0.25) {
        customer.plan(opened + 2 * MINUTE, EventType::CampaignClicked, plain);
        if customer.random.chance(0.15) {
            let amount_minor = Some(i64::from(customer.random.between(10, 60)) * 1_000);
            let converted = Data::Campaign { campaign, user, amount_minor, currency: Some(customer.profile.currency) };
            customer.plan(opened + 3 * DAY, EventType::CampaignConverted, converted);
        }
    }
}

fn suffer(customer: &mut Customer, incident: Incident) {
    let data = Data::Incident { incident: incident.id, severity: incident.severity };
    customer.plan(incident.start, EventType::IncidentStarted, data);
    customer.plan(incident.end, EventType::IncidentResolved, data);
}

/// Two or three serious incidents of its own within three weeks, and tickets about them.
fn suffer_again_and_again(customer: &mut Customer, today: Day) {
    for step in 0..customer.random.between(2, 3) {
        let day = today + step * 7 + customer.random.between(0, 4);
        let start = customer.office_time(day);
        let end = start + customer.random.seconds(2 * HOUR, 20 * HOUR);
        customer.relation.incidents += 1;
        let id = customer.profile.reference("INC", customer.relation.incidents);
        suffer(customer, Incident { day, start, end, id, severity: "critical" });
        support::open(customer, day, true);
    }
}
