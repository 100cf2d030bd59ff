//! The first weeks: account, contract, main contact, consent, invitations, milestones up to the final one.

use bellwether_engine::event_type::EventType;

use super::calendar::{Day, HOUR, MINUTE, start_of};
use super::customer::Customer;
use super::event::Data;
use super::stories::Story;
use super::{billing, relation, team};

/// The milestones in their order; `first-value` is the one that counts, `go-live` the final one.
const MILESTONES: [&str; 5] = ["kickoff", "data-connected", "first-value", "team-invited", "go-live"];

/// Plans the customer's first day and its onboarding.
pub fn begin(customer: &mut Customer, today: Day) {
    let time = start_of(today) + 5 * HOUR + customer.random.seconds(0, 2 * HOUR);
    let profile = customer.profile;
    let segment = customer.contract.plan().segment;
    customer.plan(
        time,
        EventType::AccountCreated,
        Data::Account { segment, industry: profile.industry, country: profile.country, owner: profile.owner },
    );
    billing::start(customer, time + 10 * MINUTE);
    let contact = Some(profile.user(1));
    customer.plan(
        time + 20 * MINUTE,
        EventType::ContactChanged,
        Data::Contact { role: "main_contact", user: contact, previous_user: None },
    );
    relation::ask_for_consent(customer, time + 25 * MINUTE);
    team::invite_first_users(customer, today, time + 30 * MINUTE);
    plan_milestones(customer, today);
}

fn plan_milestones(customer: &mut Customer, today: Day) {
    let stalled = customer.plot.story == Story::OnboardingStall;
    let leaves = customer.plot.departure.is_some();
    let reached = if stalled && leaves { customer.random.between(1, 2) as usize } else { MILESTONES.len() };
    let mut day = today;
    for (index, name) in MILESTONES.into_iter().take(reached).enumerate() {
        let days = match index {
            0 => (0, 2),
            _ if stalled && !leaves => (8, 22),
            _ => (2, 11),
        };
        day += customer.random.between(days.0, days.1);
        let time = customer.office_time(day).max(start_of(today) + 8 * HOUR);
        customer.plan(time, EventType::MilestoneReached, Data::Milestone { name, r#final: index + 1 == MILESTONES.len() });
    }
}
