//! Sixty days of silence of a customer that used to be there in every way: each rule of inactivity speaks once, at its time.

use std::collections::BTreeSet;

use bellwether_engine::signal::Transition;
use bellwether_tests::folding::default_rules;
use bellwether_tests::one_customer::{OneCustomer, STEADY_DAYS, day_of, time_of};

/// The last login: of the sixth user, on the last day.
const LAST_LOGIN: f64 = STEADY_DAYS as f64 - 1.0 + 8.5 / 24.0;
/// The last ticket, on the last day that is a multiple of five.
const LAST_TICKET: f64 = 195.0 + 10.0 / 24.0;
/// The last time that we spoke with the customer.
const LAST_TOUCH: f64 = 150.0 + 11.0 / 24.0;
/// The day after the last one with a use or a login.
const SILENT_FROM: f64 = STEADY_DAYS as f64;
const MILLISECOND: f64 = 1.0 / 86_400_000.0;

/// The rules that speak of what is missing, and when. Those of a decline of use, of features and of users have nothing to say: who stops at once
/// does not decline, and may have closed.
const INACTIVITY: [(&str, f64); 4] = [
    ("support-silence", LAST_TICKET + 30.0),
    ("no-login-30d", LAST_LOGIN + 30.0),
    // More than 28 days, which is four times the usual pause of a day, and more.
    ("unusual-gap", LAST_LOGIN + 28.0 + MILLISECOND),
    ("silent-relationship", LAST_TOUCH + 90.0),
];

/// The rules that speak of what silence does to health: with a renewal near, and as a fall that lasts.
const HEALTH: [&str; 2] = ["renewal-unhealthy", "health-drop"];

#[test]
fn each_rule_of_inactivity_speaks_once_at_its_time_and_no_rule_twice_about_one_thing() {
    let mut customer = OneCustomer::steady(&default_rules());
    assert_eq!(customer.raised(), [], "a steady customer gives no reason to speak");
    customer.pass(SILENT_FROM + 60.0);
    let raised = customer.raised();
    for (rule, day) in INACTIVITY {
        let times: Vec<_> = raised.iter().filter(|(name, ..)| name == rule).map(|(.., day)| time_of(*day)).collect();
        assert_eq!(times, [time_of(day)], "{rule} on day {day}: {raised:?}");
    }
    let about: BTreeSet<_> = raised.iter().map(|(rule, object, _)| (rule, object)).collect();
    assert_eq!(about.len(), raised.len(), "no rule speaks twice about one thing: {raised:?}");
    let names: BTreeSet<&str> = raised.iter().map(|(rule, ..)| rule.as_str()).collect();
    let expected: BTreeSet<&str> = INACTIVITY.iter().map(|(rule, _)| *rule).chain(HEALTH).collect();
    assert_eq!(names, expected, "whoever else speaks has a reason of its own");
    // What lasts becomes more urgent, and is not raised again.
    let urgent = customer.signals().filter(|signal| signal.rule.name == "no-login-30d" && signal.transition == Transition::Escalated);
    assert_eq!(urgent.map(|signal| day_of(signal.time)).collect::<Vec<_>>(), [day_of(time_of(LAST_LOGIN + 60.0))]);
}
