//! The cancellation page, reasons, notice, and notices withdrawn.

use bellwether_engine::event_type::EventType;

use super::billing;
use super::calendar::{DAY, Day, HOUR, MINUTE, Second, date_of, day_at, is_weekend};
use super::customer::Customer;
use super::event::{Data, User};
use super::stories::Story;

/// Share of those who decide to leave that look at the cancellation page before their notice.
const LOOKERS: f64 = 0.6;
/// Share of the price shoppers who stay that have given notice first; of those, the share that got a discount.
const WITHDRAWERS: f64 = 0.4;
const DISCOUNTED: f64 = 0.5;

/// Plans what happens on the way out.
pub fn live(customer: &mut Customer, today: Day) {
    if customer.plot.story == Story::PriceShopping && today == customer.plot.from {
        shop_around(customer, today);
    }
    let Some(departure) = customer.plot.departure else { return };
    let (Some(decision), Some(notice)) = (departure.decision, departure.notice) else { return };
    let silent = customer.plot.story == Story::Silent;
    if today == decision && !silent && customer.random.chance(LOOKERS) && notice > decision {
        for _ in 0..customer.random.between(1, 2) {
            let day = customer.random.between(decision, notice - 1);
            view(customer, day);
        }
    }
    if today == notice {
        let time = customer.office_time(today);
        if !silent {
            plan_step(customer, time - 6 * MINUTE, EventType::CancellationViewed, None, None);
        }
        let reason = reason_of(customer);
        plan_step(customer, time, EventType::CancellationRequested, Some(reason), Some(departure.end));
        acknowledge(customer, time);
    }
}

/// Visits over weeks, a reason; of who stays, some give notice and withdraw it.
fn shop_around(customer: &mut Customer, today: Day) {
    let until = customer.plot.until;
    for _ in 0..customer.random.between(2, 4) {
        let day = customer.random.between(today, until);
        view(customer, day);
    }
    if customer.random.chance(0.7) {
        let day = customer.random.between(today, until);
        let time = view(customer, day);
        plan_step(customer, time + 4 * MINUTE, EventType::CancellationReasoned, Some("price"), None);
    }
    if customer.plot.departure.is_none() && customer.random.chance(WITHDRAWERS) {
        let time = customer.office_time(until) + HOUR / 4;
        let effective = customer.contract.period_end + if billing::is_annual(customer) { 0 } else { 62 };
        plan_step(customer, time, EventType::CancellationRequested, Some("price"), Some(effective));
        acknowledge(customer, time);
        let days = Second::from(customer.random.between(2, 9));
        plan_step(customer, time + days * DAY, EventType::CancellationWithdrawn, None, None);
        if customer.random.chance(DISCOUNTED) {
            customer.relation.discount_on = Some(day_at(time + days * DAY) + 1);
        }
    }
}

/// Grants the discount that made the customer stay; called once a day.
pub fn discount_if_due(customer: &mut Customer, today: Day) {
    if customer.relation.discount_on == Some(today) {
        let time = customer.office_time(today);
        billing::change(customer, time, |contract| contract.mrr_minor = contract.mrr_minor * 85 / 100);
    }
}

/// One session on the cancellation page; the time of its last view.
fn view(customer: &mut Customer, day: Day) -> Second {
    let mut time = customer.office_time(day);
    for _ in 0..customer.random.between(1, 3) {
        plan_step(customer, time, EventType::CancellationViewed, None, None);
        time += customer.random.seconds(30, 5 * MINUTE);
    }
    time
}

fn acknowledge(customer: &mut Customer, time: Second) {
    let weekend = if is_weekend(day_at(time)) { 2 * DAY } else { 0 };
    let delay =
        if customer.random.chance(0.15) { customer.random.seconds(2 * DAY, 4 * DAY) } else { customer.random.seconds(HOUR / 2, 5 * HOUR) };
    plan_step(customer, time + weekend + delay, EventType::CancellationAcknowledged, None, None);
}

fn plan_step(customer: &mut Customer, time: Second, kind: EventType, reason: Option<&'static str>, effective: Option<Day>) {
    let by_user = kind != EventType::CancellationAcknowledged && !matches!(customer.plot.story, Story::ApiOnly | Story::Intranet);
    let user: Option<User> = by_user.then(|| customer.profile.user(customer.habits.main_contact));
    customer.plan(time, kind, Data::Cancellation { user, reason, effective: effective.map(date_of) });
}

fn reason_of(customer: &mut Customer) -> &'static str {
    match customer.plot.story {
        Story::PriceShopping => "price",
        Story::TicketSpike | Story::Incidents | Story::Unhappy => "service",
        Story::OnboardingStall | Story::SlowDecline => customer.random.pick(&["not_used", "missing_feature", "competitor"]),
        _ => customer.random.pick(&["price", "missing_feature", "competitor", "closed", "other"]),
    }
}
