//! Logins, usage and quota readings of a day, at the level that the story leaves.

use bellwether_engine::event_type::EventType;

use super::calendar::{Day, MINUTE, Second, is_weekend, weekday};
use super::customer::Customer;
use super::event::{Data, User};
use super::habits::{FEATURES, MACHINE_FEATURES, PAID_FEATURE_NAME};
use super::holidays;
use super::stories::Story;

/// What is left of a weekday's work at the weekend.
const WEEKEND: f64 = 0.1;
/// What is left of the use once notice has been given; silent leavers go on as ever.
const AFTER_NOTICE: f64 = 0.5;
/// Uses of features that one session leaves in the log: at least one, and so many more.
const MORE_USES: f64 = 0.15;
/// The same of the last user of a customer, who does what all did.
const USES_OF_THE_LAST: f64 = 2.5;
/// Share of uses that go to the feature that only higher plans pay for.
const PAID_FEATURE: f64 = 0.05;
/// Share of logins with a mistyped password before.
const MISTYPED: f64 = 0.02;

/// Adds the day's activity.
pub fn live(customer: &mut Customer, today: Day) {
    if weekday(today) == 0 {
        customer.habits.begin_week(today, &mut customer.random);
        read_quota(customer, today);
    }
    let level = level(customer, today) * if is_weekend(today) { WEEKEND } else { 1.0 };
    match customer.plot.story {
        Story::ApiOnly => machine_usage(customer, today),
        Story::Intranet => anonymous_sessions(customer, today, level),
        _ => sessions(customer, today, level),
    }
}

/// How much of its ordinary activity a customer shows on that day.
pub fn level(customer: &Customer, today: Day) -> f64 {
    let plot = &customer.plot;
    let progress = plot.progress(today);
    let ramp = 0.5 + 0.5 * (f64::from(customer.tenure(today)) / 21.0).min(1.0);
    let leaves = plot.departure.is_some();
    let told = match plot.story {
        Story::SlowDecline => plot.left(today),
        Story::ChampionChange | Story::ApiOnly | Story::Intranet if leaves => plot.left(today),
        Story::ChampionChange => 1.0 - 0.3 * (1.0 - plot.left(today)),
        Story::OnboardingStall if leaves => 0.35 - 0.3 * progress,
        Story::OnboardingStall => 0.4 + 0.6 * progress,
        Story::QuietAsker => 1.0 - if leaves { 0.6 } else { 0.3 } * (2.0 * progress).min(1.0),
        Story::Contraction | Story::Narrowing if leaves => 1.0 - 0.3 * progress,
        Story::TicketSpike | Story::Unhappy | Story::Incidents if leaves => 1.0 - 0.3 * progress,
        Story::PriceShopping if leaves => 1.0 - 0.15 * progress,
        Story::SeatGrowth => 1.0 + 0.15 * progress,
        Story::QuotaLimit => 1.0 + 0.35 * progress,
        Story::Seasonal => customer.habits.season.level(today),
        _ => 1.0,
    };
    let office = if plot.story == Story::ApiOnly { 1.0 } else { holidays::level(&customer.profile, plot.story, today) };
    let leaving = if plot.gave_notice(today) && plot.story != Story::Silent { AFTER_NOTICE } else { 1.0 };
    customer.profile.eagerness * customer.habits.level(today) * ramp * told * leaving * office
}

fn sessions(customer: &mut Customer, today: Day, level: f64) {
    for index in 0..customer.team.len() {
        let member = customer.team[index];
        let chance = customer.contract.plan().login_chance * member.eagerness * level;
        if member.is_active(today) && customer.random.chance(chance.min(0.95)) {
            session(customer, today, Some(customer.profile.user(member.number)), level);
        }
    }
}

fn anonymous_sessions(customer: &mut Customer, today: Day, level: f64) {
    let users = customer.profile.users_of(customer.contract.seats);
    let sessions = customer.random.count(f64::from(users) * customer.contract.plan().login_chance * level);
    for _ in 0..sessions {
        session(customer, today, None, level);
    }
}

fn session(customer: &mut Customer, today: Day, user: Option<User>, level: f64) {
    let time = customer.office_time(today);
    let method = if user.is_none() { "intranet" } else { customer.profile.login_method };
    if method == "password" && customer.random.chance(MISTYPED) {
        customer.plan(time - 20, EventType::Login, Data::Login { user, method, ok: Some(false) });
    }
    customer.plan(time, EventType::Login, Data::Login { user, method, ok: None });
    let mut moment = time;
    let more_uses = if customer.is_since(Story::Narrowing, today) { USES_OF_THE_LAST } else { MORE_USES };
    for _ in 0..1 + customer.random.count(more_uses) {
        moment += customer.random.seconds(30, 25 * MINUTE);
        let feature = choose_feature(customer, today);
        let count = 1 + customer.random.count(5.0 * level.min(2.0));
        customer.plan(moment, EventType::Usage, Data::Usage { feature, count, user });
    }
}

/// Mostly a favourite. Whoever declines drops the first favourite halfway.
fn choose_feature(customer: &mut Customer, today: Day) -> &'static str {
    if customer.plot.story != Story::UnusedFeature && customer.contract.plan().pays_for_more && customer.random.chance(PAID_FEATURE) {
        return PAID_FEATURE_NAME;
    }
    let dropped = customer.plot.story == Story::SlowDecline && customer.plot.departure.is_some() && customer.plot.progress(today) > 0.4;
    let favourites = if dropped { &customer.habits.favourites[1..] } else { &customer.habits.favourites[..] };
    if customer.random.chance(0.8) {
        return customer.random.pick(favourites);
    }
    let feature = customer.random.pick(&FEATURES);
    if dropped && feature == customer.habits.favourites[0] { favourites[0] } else { feature }
}

/// Machines work every day alike, and report what they did every few hours.
fn machine_usage(customer: &mut Customer, today: Day) {
    let level = level(customer, today);
    for slot in 0..3 {
        let time = super::calendar::start_of(today) + Second::from(slot) * 8 * 60 * MINUTE + customer.random.seconds(0, 50 * MINUTE);
        let calls = customer.random.count(14.0 * level);
        if calls > 0 {
            let feature = customer.random.pick(&MACHINE_FEATURES);
            customer.plan(time, EventType::Usage, Data::Usage { feature, count: calls * 10, user: None });
        }
    }
}

/// Once a week the product says how full the quota is.
fn read_quota(customer: &mut Customer, today: Day) {
    let time = customer.office_time(today);
    let climb = if customer.plot.story == Story::QuotaLimit { 1.15 * customer.plot.progress(today) } else { 0.0 };
    let noise = customer.random.range(0.95, 1.05);
    let ordinary = customer.habits.quota_level * level(customer, today).clamp(0.5, 1.2);
    let first_limit = super::company::PLANS[customer.profile.plan].quota_limit;
    let used = (f64::from(first_limit) * (ordinary + climb) * noise) as u32;
    customer.plan(time, EventType::Quota, Data::Quota { name: "records", used, limit: customer.habits.quota_limit });
}
