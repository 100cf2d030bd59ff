//! The customer's people: invited, activated, coming and going, and the main contact among them.

use bellwether_engine::event_type::EventType;

use super::calendar::{DAY, Day, HOUR, MINUTE, Second, day_at, timestamp};
use super::customer::Customer;
use super::event::{Data, User};
use super::stories::Story;

/// An invitation can be used for so long.
const INVITATION: Second = 14 * DAY;
/// Chance of a day that somebody leaves and is replaced; that the main contact hands over to a colleague who carries on (about 15 % a year).
const REPLACEMENT: f64 = 1.0 / 220.0;
const HANDOVER: f64 = 1.0 / 2_400.0;
/// Share of the invitations that nobody uses.
const FORGOTTEN: f64 = 0.02;
/// Extra invitations of a customer whose onboarding stalls.
const STALLED_INVITATIONS: i32 = 4;

/// A user who can log in.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its number within the customer.
    pub number: u32,
    /// How much more than its colleagues it does.
    pub eagerness: f64,
    /// The first day of its use.
    pub since: Day,
    /// The day on which it stops for good.
    pub until: Option<Day>,
}

impl Member {
    /// Whether it still comes on that day.
    pub fn is_active(&self, today: Day) -> bool {
        today >= self.since && self.until.is_none_or(|until| today < until)
    }
}

/// Invites the users of the first weeks.
pub fn invite_first_users(customer: &mut Customer, today: Day, time: Second) {
    let users = match customer.plot.story {
        Story::ApiOnly | Story::Intranet | Story::OnboardingStall => 1,
        _ => customer.profile.users_of(customer.contract.seats),
    };
    for index in 0..users {
        let later = if index == 0 { 0 } else { DAY * Second::from(customer.random.between(0, 9)) };
        invite(customer, time + later + MINUTE * Second::from(index), index > 0);
    }
    if customer.plot.story == Story::OnboardingStall {
        for _ in 0..customer.random.between(2, STALLED_INVITATIONS) {
            let invited = customer.random.between(0, 6);
            let time = customer.office_time(today + 1 + invited);
            let user = send_invitation(customer, time);
            // Who arrives after all takes back what nobody used.
            if customer.plot.departure.is_none() {
                let revoked = customer.plot.until + customer.random.between(0, 30);
                let time = customer.office_time(revoked).max(time + INVITATION);
                customer.plan(time, EventType::UserRemoved, Data::User { user, expires: None });
            }
        }
    }
}

/// Users in use on that day.
pub fn active(customer: &Customer, today: Day) -> u32 {
    customer.team.iter().filter(|member| member.is_active(today)).count() as u32
}

/// Invites one more user, who may take some days to activate it, or forget it.
pub fn invite(customer: &mut Customer, time: Second, may_forget: bool) {
    let user = send_invitation(customer, time);
    if may_forget && customer.random.chance(FORGOTTEN) {
        customer.plan(time + INVITATION + HOUR, EventType::UserRemoved, Data::User { user, expires: None });
        return;
    }
    let delay = customer.random.fraction() * customer.random.fraction() * 4.0 * DAY as f64;
    let activated = time + 10 * MINUTE + delay as Second;
    customer.plan(activated, EventType::UserActivated, Data::User { user, expires: None });
    let eagerness = customer.random.range(0.75, 1.35);
    customer.team.push(Member { number: user.number, eagerness, since: day_at(activated) + 1, until: None });
}

fn send_invitation(customer: &mut Customer, time: Second) -> User {
    customer.habits.users_invited += 1;
    let user = customer.profile.user(customer.habits.users_invited);
    customer.plan(time, EventType::UserInvited, Data::User { user, expires: Some(timestamp(time + INVITATION)) });
    user
}

/// People come and go; in some stories they just go.
pub fn live(customer: &mut Customer, today: Day) {
    let begins = today == customer.plot.from;
    match customer.plot.story {
        Story::ChampionChange if begins => lose_champion(customer, today),
        Story::Narrowing if begins => narrow(customer, today),
        _ if customer.team.len() < 2 => {}
        Story::DormantUsers if begins => {
            let half = customer.team.len().div_ceil(2);
            customer.team.iter_mut().skip(half).for_each(|member| member.until = Some(today));
        }
        Story::DormantUsers | Story::ChampionChange | Story::Narrowing if today > customer.plot.from => {}
        _ if customer.random.chance(HANDOVER) => hand_over(customer, today),
        _ if customer.random.chance(REPLACEMENT) => replace_somebody(customer, today),
        _ => {}
    }
}

/// Within three weeks all but the main contact stop.
fn narrow(customer: &mut Customer, today: Day) {
    let main_contact = customer.habits.main_contact;
    for member in &mut customer.team {
        if member.number == main_contact {
            member.eagerness = 3.0;
        } else {
            member.until = Some(today + customer.random.between(1, 21));
        }
    }
}

/// The main contact leaves the company. Sometimes a successor is named, who never comes; where the customer stays, one comes some weeks later.
fn lose_champion(customer: &mut Customer, today: Day) {
    let time = customer.office_time(today);
    if customer.plot.departure.is_none() {
        return succeed_champion(customer, today, time);
    }
    let previous = customer.profile.user(customer.habits.main_contact);
    let successor = customer.random.chance(0.5).then(|| customer.profile.user(customer.habits.users_invited + 1));
    if successor.is_some() {
        send_invitation(customer, time - HOUR);
    }
    customer.plan(time, EventType::ContactChanged, Data::Contact { role: "main_contact", user: successor, previous_user: Some(previous) });
    remove(customer, previous.number, today, time + HOUR);
    let colleague = customer.team.first().map(|member| member.number);
    customer.habits.main_contact = successor.map(|user| user.number).or(colleague).unwrap_or(previous.number);
}

fn succeed_champion(customer: &mut Customer, today: Day, time: Second) {
    let previous = customer.profile.user(customer.habits.main_contact);
    let successor = send_invitation(customer, time - HOUR);
    let since = today + customer.random.between(3, 13);
    let activated = customer.office_time(since);
    customer.plan(activated, EventType::UserActivated, Data::User { user: successor, expires: None });
    let eagerness = customer.random.range(0.75, 1.35);
    customer.team.push(Member { number: successor.number, eagerness, since: since + 1, until: None });
    let data = Data::Contact { role: "main_contact", user: Some(successor), previous_user: Some(previous) };
    customer.plan(time, EventType::ContactChanged, data);
    remove(customer, previous.number, today, time + HOUR);
    customer.habits.main_contact = successor.number;
}

/// The main contact changes, and the new one, long a user, carries on: a near miss.
fn hand_over(customer: &mut Customer, today: Day) {
    let candidates: Vec<u32> = customer.team.iter().filter(|member| member.is_active(today)).map(|member| member.number).collect();
    if candidates.is_empty() {
        return;
    }
    let successor = customer.random.pick(&candidates);
    if successor == customer.habits.main_contact {
        return;
    }
    let time = customer.office_time(today);
    let previous_user = Some(customer.profile.user(customer.habits.main_contact));
    customer.habits.main_contact = successor;
    customer.plan(
        time,
        EventType::ContactChanged,
        Data::Contact { role: "main_contact", user: Some(customer.profile.user(successor)), previous_user },
    );
}

fn replace_somebody(customer: &mut Customer, today: Day) {
    let index = customer.random.between(0, customer.team.len() as i32 - 1) as usize;
    let leaver = customer.team[index];
    if leaver.is_active(today) && leaver.number != customer.habits.main_contact {
        let time = customer.office_time(today);
        remove(customer, leaver.number, today, time);
        invite(customer, time + HOUR, false);
    }
}

fn remove(customer: &mut Customer, number: u32, today: Day, time: Second) {
    customer.team.retain(|member| member.number != number);
    debug_assert!(day_at(time) >= today, "nobody is removed before today");
    customer.plan(time, EventType::UserRemoved, Data::User { user: customer.profile.user(number), expires: None });
}
