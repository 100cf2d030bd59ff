//! The contract and its money: start, renewal and end, invoices, payments, dunning.

use bellwether_engine::event_type::EventType;

use super::calendar::{DAY, Day, HOUR, MINUTE, Second, date_of, months_after, start_of};
use super::company::{PLANS, Plan, Profile, Term};
use super::customer::Customer;
use super::event::Data;
use super::stories::Story;

/// Days until an invoice is due that is paid by transfer.
const DAYS_TO_PAY: Day = 14;
/// Days after the first failed charge on which the charge is tried again.
const RETRIES: [Day; 3] = [3, 7, 14];
/// Chance that an ordinary charge fails once, and is paid at the next try. Recurly's 7.5 % a month of B2B subscribers at risk are those before
/// cards are renewed in the background.
const CHARGE_FAILS: f64 = 0.03;
/// Chance that an ordinary transfer comes late by more than ten days.
const TRANSFER_LATE: f64 = 0.03;

/// What the customer pays for at present.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Index in [`PLANS`].
    pub plan: usize,
    /// Seats bought.
    pub seats: u32,
    /// Monthly recurring revenue, in minor units.
    pub mrr_minor: i64,
    /// The day on which the paid period ends.
    pub period_end: Day,
    periods: i32,
    invoices: u32,
}

impl Contract {
    /// The contract a customer starts with.
    pub fn first(profile: &Profile) -> Contract {
        let mrr_minor = profile.seat_price_minor * i64::from(profile.seats);
        Contract {
            plan: profile.plan,
            seats: profile.seats,
            mrr_minor,
            period_end: months_after(profile.start, profile.term.months()),
            periods: 1,
            invoices: 0,
        }
    }

    /// The plan it is for.
    pub fn plan(&self) -> &'static Plan {
        &PLANS[self.plan]
    }
}

/// Signs the first contract.
pub fn start(customer: &mut Customer, time: Second) {
    report(customer, time, EventType::SubscriptionStarted);
    issue_invoice(customer, customer.profile.start, time + 5 * MINUTE);
}

/// Changes what is paid for.
pub fn change(customer: &mut Customer, time: Second, change: impl FnOnce(&mut Contract)) {
    change(&mut customer.contract);
    report(customer, time, EventType::SubscriptionChanged);
}

/// Ends or renews the contract when its day has come. The night's run reaches each customer at its own minute.
pub fn live(customer: &mut Customer, today: Day) {
    let time = start_of(today) + HOUR + Second::from(customer.profile.number % 120) * MINUTE;
    if customer.plot.story == Story::Contraction && today == customer.plot.from {
        cut_seats(customer, time);
    }
    if let Some(departure) = customer.plot.departure
        && departure.end == today
    {
        let reason = if departure.notice.is_some() { "voluntary" } else { "involuntary" };
        let subscription = customer.profile.reference("sub", 1);
        customer.plan(time, EventType::SubscriptionEnded, Data::SubscriptionEnded { subscription, reason });
    } else if today == customer.contract.period_end {
        customer.contract.periods += 1;
        customer.contract.period_end = months_after(customer.profile.start, customer.contract.periods * customer.profile.term.months());
        report(customer, time, EventType::SubscriptionRenewed);
        issue_invoice(customer, today, time + MINUTE);
    }
}

/// A fifth to two fifths of the seats go, but not the last.
fn cut_seats(customer: &mut Customer, time: Second) {
    let kept = customer.random.range(0.6, 0.8);
    change(customer, time, |contract| {
        let seats = ((f64::from(contract.seats) * kept) as u32).max(1);
        contract.mrr_minor = contract.mrr_minor * i64::from(seats) / i64::from(contract.seats);
        contract.seats = seats;
    });
}

fn report(customer: &mut Customer, time: Second, kind: EventType) {
    let contract = customer.contract;
    let data = Data::Subscription {
        subscription: customer.profile.reference("sub", 1),
        plan: contract.plan().name,
        mrr_minor: contract.mrr_minor,
        currency: customer.profile.currency,
        seats: contract.seats,
        period_end: date_of(contract.period_end),
    };
    customer.plan(time, kind, data);
}

/// An invoice and what becomes of it.
struct Bill {
    number: u32,
    amount_minor: i64,
    time: Second,
    due: Day,
}

fn issue_invoice(customer: &mut Customer, today: Day, time: Second) {
    customer.contract.invoices += 1;
    let due = today + if customer.profile.pays_by_card { 0 } else { DAYS_TO_PAY };
    let amount_minor = customer.contract.mrr_minor * i64::from(customer.profile.term.months());
    let bill = Bill { number: customer.contract.invoices, amount_minor, time, due };
    let invoice = customer.profile.reference("inv", bill.number);
    customer.plan(
        time,
        EventType::InvoiceIssued,
        Data::Invoice { invoice, amount_minor, currency: customer.profile.currency, due: date_of(due) },
    );
    let in_trouble = customer.is_in(Story::Dunning, today);
    match (customer.profile.pays_by_card, in_trouble, customer.plot.departure.is_some()) {
        (true, true, true) => charge(customer, &bill, RETRIES.len() as u32 + 1, false),
        (true, true, false) => {
            let failures = customer.random.between(2, 3) as u32;
            charge(customer, &bill, failures, true);
        }
        (true, false, _) => {
            let failures = u32::from(customer.random.chance(CHARGE_FAILS));
            charge(customer, &bill, failures, true);
        }
        (false, true, true) => {}
        (false, true, false) => pay_after_due(customer, &bill, 18, 62),
        (false, false, _) if customer.random.chance(TRANSFER_LATE) => pay_after_due(customer, &bill, 11, 25),
        (false, false, _) => pay_after_due(customer, &bill, -9, 6),
    }
}

fn charge(customer: &mut Customer, bill: &Bill, failures: u32, paid_at_last: bool) {
    let attempt_time = |attempt: u32| bill.time + MINUTE + if attempt == 1 { 0 } else { Second::from(RETRIES[attempt as usize - 2]) * DAY };
    for attempt in 1..=failures {
        report_payment(customer, bill, attempt_time(attempt), EventType::PaymentFailed, Some(attempt));
    }
    if paid_at_last {
        let time = attempt_time(failures + 1);
        if failures > 0 {
            report_payment(customer, bill, time, EventType::PaymentRecovered, Some(failures + 1));
        }
        report_payment(customer, bill, time + 1, EventType::InvoicePaid, None);
    }
}

fn pay_after_due(customer: &mut Customer, bill: &Bill, earliest: Day, latest: Day) {
    let day = bill.due + customer.random.between(earliest, latest);
    let time = customer.office_time(day);
    report_payment(customer, bill, time, EventType::InvoicePaid, None);
}

fn report_payment(customer: &mut Customer, bill: &Bill, time: Second, kind: EventType, attempt: Option<u32>) {
    let invoice = customer.profile.reference("inv", bill.number);
    customer.plan(time, kind, Data::Payment { invoice, amount_minor: bill.amount_minor, currency: customer.profile.currency, attempt });
}

/// Whether the contract runs from year to year.
pub fn is_annual(customer: &Customer) -> bool {
    customer.profile.term == Term::Annual
}
