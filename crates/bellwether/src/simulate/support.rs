//! Tickets: opened, answered, solved, sometimes reopened, and rated.

use bellwether_engine::event_type::EventType;

use super::calendar::{DAY, Day, HOUR, Second, is_weekend};
use super::customer::Customer;
use super::event::{Data, Reference};
use super::stories::Story;
use super::surveys;

const CHANNELS: [&str; 4] = ["email", "email", "chat", "phone"];
const TOPICS: [&str; 6] = ["how-to", "bug", "billing", "access", "integration", "performance"];
const PRIORITIES: [(&str, u32); 4] = [("low", 22), ("normal", 60), ("high", 14), ("urgent", 4)];
const PRIORITIES_IN_TROUBLE: [(&str, u32); 4] = [("low", 2), ("normal", 33), ("high", 30), ("urgent", 35)];

/// Chance that a solved ticket is reopened; in trouble, and then again.
const REOPENED: f64 = 0.03;
const REOPENED_IN_TROUBLE: f64 = 0.45;
/// Tickets of a day while there is trouble.
const TICKETS_IN_TROUBLE: f64 = 0.4;

/// Chance of a day that a customer begins to ask more for a while, about nothing bad: a new project, a new colleague.
const BURST: f64 = 1.0 / 2_500.0;
/// How long that lasts, and tickets of a day meanwhile.
const BURST_DAYS: Day = 10;
const TICKETS_IN_A_BURST: f64 = 0.4;

/// The customer's tickets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Support {
    opened: u32,
    burst_until: Day,
}

/// Opens the day's tickets and plans what becomes of them.
pub fn live(customer: &mut Customer, today: Day) {
    let trouble = customer.is_in(Story::TicketSpike, today);
    let early = if customer.tenure(today) < 30 { 1.5 } else { 1.0 };
    let unhappy = if customer.is_in(Story::Unhappy, today) || customer.is_in(Story::Incidents, today) { 1.8 } else { 1.0 };
    let ordinary = customer.contract.plan().tickets_a_month / 30.0 * early * unhappy;
    let silenced = if customer.plot.gave_notice(today) { 0.3 } else { 1.0 };
    let usual = if customer.plot.story == Story::QuietAsker { tickets_of_a_frequent_asker(customer, today) } else { ordinary };
    let mean = silenced * if trouble { usual + TICKETS_IN_TROUBLE } else { usual };
    let weekend = if is_weekend(today) { 0.25 } else { 1.3 };
    for _ in 0..customer.random.count(mean * weekend) {
        open(customer, today, trouble);
    }
    if customer.random.chance(BURST) {
        customer.support.burst_until = today + BURST_DAYS;
    }
    if today < customer.support.burst_until && customer.random.chance(TICKETS_IN_A_BURST) {
        open(customer, today, false);
    }
}

/// Two a week for five months, then none.
fn tickets_of_a_frequent_asker(customer: &Customer, today: Day) -> f64 {
    let from = customer.plot.from;
    if today >= from {
        0.0
    } else if today >= from - 150 {
        0.28
    } else {
        0.1
    }
}

/// Opens a ticket.
pub fn open(customer: &mut Customer, today: Day, trouble: bool) {
    customer.support.opened += 1;
    let ticket = customer.profile.reference("T", customer.support.opened);
    let channel = customer.random.pick(&CHANNELS);
    let topic = customer.random.pick(&TOPICS);
    let priority = customer.random.pick_weighted(if trouble { &PRIORITIES_IN_TROUBLE } else { &PRIORITIES });
    let opened = customer.office_time(today);
    customer.plan(opened, EventType::TicketOpened, Data::TicketOpened { ticket, channel, priority, topic });
    let (answer, solution) = hours_to(customer, priority, trouble);
    customer.plan(opened + answer, EventType::TicketAnswered, Data::Ticket { ticket });
    let solved = opened + answer + solution;
    customer.plan(solved, EventType::TicketSolved, Data::Ticket { ticket });
    let last_solved = reopen(customer, ticket, solved, trouble);
    surveys::rate_ticket(customer, ticket, last_solved, trouble);
}

/// Time to the first answer, and from there to the solution. In trouble both are late, and urgent tickets age for days.
fn hours_to(customer: &mut Customer, priority: &str, trouble: bool) -> (Second, Second) {
    let (answer, solution) = match priority {
        "urgent" => ((HOUR / 4, 2 * HOUR), (HOUR, 14 * HOUR)),
        "high" => ((HOUR / 2, 4 * HOUR), (4 * HOUR, 2 * DAY)),
        "normal" => ((HOUR, 9 * HOUR), (6 * HOUR, 4 * DAY)),
        _ => ((2 * HOUR, 22 * HOUR), (DAY, 7 * DAY)),
    };
    if trouble {
        (customer.random.seconds(answer.1, answer.1 * 4), customer.random.seconds(DAY, 6 * DAY))
    } else {
        (customer.random.seconds(answer.0, answer.1), customer.random.seconds(solution.0, solution.1))
    }
}

fn reopen(customer: &mut Customer, ticket: Reference, mut solved: Second, trouble: bool) -> Second {
    let chance = if trouble { REOPENED_IN_TROUBLE } else { REOPENED };
    for _ in 0..2 {
        if !customer.random.chance(chance) {
            break;
        }
        let reopened = solved + customer.random.seconds(HOUR, 2 * DAY);
        customer.plan(reopened, EventType::TicketReopened, Data::Ticket { ticket });
        let answered = reopened + customer.random.seconds(HOUR, 8 * HOUR);
        customer.plan(answered, EventType::TicketAnswered, Data::Ticket { ticket });
        solved = answered + customer.random.seconds(4 * HOUR, 3 * DAY);
        customer.plan(solved, EventType::TicketSolved, Data::Ticket { ticket });
    }
    solved
}
