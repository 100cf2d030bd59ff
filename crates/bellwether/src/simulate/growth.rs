//! Customers that outgrow what they bought: seats, quota, plan; and whether they then buy.

use bellwether_engine::event_type::EventType;

use super::calendar::{Day, HOUR, is_weekend, weekday};
use super::company::PLANS;
use super::customer::Customer;
use super::event::Data;
use super::stories::Story;
use super::{billing, team};

/// Share of those at the limit who buy.
const BUYERS: f64 = 0.75;
/// Days from the limit to the purchase.
const HESITATION: (Day, Day) = (15, 40);

/// Grows, shows interest, and buys.
pub fn live(customer: &mut Customer, today: Day) {
    match customer.plot.story {
        Story::SeatGrowth if customer.plot.is_on(today) => fill_seats(customer, today),
        Story::HigherTier if customer.plot.is_on(today) && !is_weekend(today) => look_at_higher_plan(customer, today),
        _ => {}
    }
    if today == customer.plot.until && matches!(customer.plot.story, Story::SeatGrowth | Story::QuotaLimit | Story::HigherTier) {
        decide(customer, today);
    }
}

/// Invites users so that on the last day of the story every seat is taken.
fn fill_seats(customer: &mut Customer, today: Day) {
    let seats = customer.contract.seats;
    let users = customer.profile.users_of(seats);
    let wanted = f64::from(users) + f64::from(seats - users) * (customer.plot.progress(today) * 1.25).min(1.0);
    if !is_weekend(today) && team::active(customer, today) + pending(customer, today) < wanted as u32 {
        let time = customer.office_time(today);
        team::invite(customer, time, false);
    }
}

fn pending(customer: &Customer, today: Day) -> u32 {
    customer.team.iter().filter(|member| member.since > today).count() as u32
}

fn look_at_higher_plan(customer: &mut Customer, today: Day) {
    if !customer.random.chance(0.3) {
        return;
    }
    let time = customer.office_time(today);
    let feature = customer.random.pick(&["pricing_page", "pricing_page", "locked_feature"]);
    let user = Some(customer.profile.user(customer.habits.main_contact));
    customer.plan(time, EventType::Usage, Data::Usage { feature, count: 1, user });
}

/// At the limit: some tell us, most buy some weeks later.
fn decide(customer: &mut Customer, today: Day) {
    if customer.random.chance(0.5) {
        let time = customer.office_time(today + 3);
        let kind = customer.random.pick(&["support", "sales"]);
        customer.plan(time, EventType::LeadRecorded, Data::Lead { kind });
    }
    if customer.random.chance(BUYERS) {
        customer.relation.buys_on = Some(today + customer.random.between(HESITATION.0, HESITATION.1));
    }
}

/// Buys when the day has come (a weekday); called once a day.
pub fn buy_if_due(customer: &mut Customer, today: Day) {
    if customer.relation.buys_on.is_none_or(|day| today < day) || weekday(today) > 4 {
        return;
    }
    customer.relation.buys_on = None;
    let time = customer.office_time(today) + HOUR / 2;
    let growth = customer.random.range(1.4, 1.7);
    let story = customer.plot.story;
    billing::change(customer, time, |contract| {
        if story == Story::SeatGrowth {
            let seats = ((f64::from(contract.seats) * growth) as u32).max(contract.seats + 2);
            contract.mrr_minor = contract.mrr_minor * i64::from(seats) / i64::from(contract.seats);
            contract.seats = seats;
        } else {
            contract.plan = (contract.plan + 1).min(PLANS.len() - 1);
            contract.mrr_minor = (contract.mrr_minor as f64 * growth) as i64 / 50 * 50;
        }
    });
    if story == Story::QuotaLimit {
        customer.habits.quota_limit *= 3;
    }
}
