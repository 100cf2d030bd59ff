//! What customers answer when asked: NPS each quarter, CSAT after tickets, CES about twice a year, goals once.

use bellwether_engine::event_type::EventType;

use super::calendar::{Day, HOUR, Second, day_at};
use super::company::Profile;
use super::customer::Customer;
use super::event::{Data, Reference};
use super::random::Random;
use super::stories::{Plot, Story};

const QUARTER: Day = 91;
const HALF_A_YEAR: Day = 182;
/// Share of the asked who answer: NPS (vendors report 20 to 35 % in B2B), CSAT, CES, goal.
const ANSWERS_NPS: f64 = 0.3;
const ANSWERS_CSAT: f64 = 0.3;
const ANSWERS_CES: f64 = 0.35;
const ANSWERS_GOAL: f64 = 0.3;
/// Share of the unhappy who answer.
const COMPLAINS: f64 = 0.75;
/// What most people give, at the first answer: at times too little, without meaning to leave.
const ORDINARY_NPS: [(i32, u32); 5] = [(6, 4), (7, 28), (8, 42), (9, 20), (10, 6)];

/// When the customer is asked next, and what its people think.
#[derive(Clone, Copy, Debug)]
pub struct Surveys {
    next_nps: Day,
    next_ces: Day,
    goal: Day,
    /// What the main contact, and a second person, give for NPS when nothing changes.
    opinions: [i32; 2],
    /// Whether a low score on the CES form is a good one.
    low_is_good: bool,
}

impl Surveys {
    /// Draws the opinions of a customer's people.
    pub fn draw(profile: &Profile, plot: &Plot, random: &mut Random) -> Surveys {
        let promoter = plot.story == Story::Promoter;
        let mut opinion = || if promoter { random.between(9, 10) } else { random.pick_weighted(&ORDINARY_NPS) };
        let opinions = [opinion(), opinion()];
        Surveys {
            next_nps: profile.start + random.between(50, QUARTER),
            next_ces: profile.start + random.between(40, 120),
            goal: profile.start + random.between(150, 210),
            opinions,
            low_is_good: random.chance(0.3),
        }
    }
}

/// Asks whom it is time to ask.
pub fn live(customer: &mut Customer, today: Day) {
    if customer.is_since(Story::Unhappy, today) && today == customer.plot.from {
        complain(customer, today);
    }
    if today == customer.surveys.next_nps {
        customer.surveys.next_nps += QUARTER;
        for respondent in 0..customer.habits.users_invited.min(2) as usize {
            if customer.random.chance(ANSWERS_NPS) || customer.plot.story == Story::Promoter {
                let opinion = customer.surveys.opinions[respondent];
                // The same person gives the same again, or one more; the story may have changed its mind.
                let score = if customer.is_since(Story::Unhappy, today) {
                    customer.random.between(1, 5)
                } else {
                    opinion + customer.random.between(0, 1)
                };
                answer_nps(customer, today, respondent, score.min(10));
            }
        }
    }
    if today == customer.surveys.next_ces {
        customer.surveys.next_ces += HALF_A_YEAR;
        if customer.random.chance(ANSWERS_CES) {
            let good = !customer.is_in(Story::Unhappy, today) && !customer.is_in(Story::TicketSpike, today);
            answer_ces(customer, today, good);
        }
    }
    if today == customer.surveys.goal && customer.random.chance(ANSWERS_GOAL) {
        let score = if customer.is_since(Story::Unhappy, today) { 2 } else { customer.random.between(3, 5) };
        plan_answer(customer, today, "goal", score, (1, 5), None);
    }
}

/// Unhappy customers say so when they are asked, if they answer: most of them NPS within three weeks, and of effort twice in five weeks.
fn complain(customer: &mut Customer, today: Day) {
    if customer.random.chance(COMPLAINS) {
        let score = customer.random.between(1, 6);
        let day = today + customer.random.between(0, 21);
        answer_nps(customer, day, 0, score);
    }
    for wait in [8, 25] {
        let day = today + wait + customer.random.between(0, 7);
        if customer.random.chance(COMPLAINS) {
            answer_ces(customer, day, false);
        }
    }
}

/// About a third of those whose ticket was solved say how it was.
pub fn rate_ticket(customer: &mut Customer, ticket: Reference, solved: Second, trouble: bool) {
    let chance = if trouble { 0.6 } else { ANSWERS_CSAT };
    if !customer.random.chance(chance) {
        return;
    }
    let day = day_at(solved);
    let score = if trouble || customer.is_in(Story::Unhappy, day) {
        customer.random.between(1, 2)
    } else {
        customer.random.pick_weighted(&[(1, 1), (2, 2), (3, 9), (4, 40), (5, 48)])
    };
    let time = solved + customer.random.seconds(HOUR / 2, 20 * HOUR);
    let data =
        Data::Survey { kind: "csat", score, scale_min: 1, scale_max: 5, direction: None, user: None, role: None, ticket: Some(ticket) };
    customer.plan(time, EventType::SurveyAnswered, data);
}

fn answer_nps(customer: &mut Customer, day: Day, respondent: usize, score: i32) {
    let time = customer.office_time(day) + HOUR / 6;
    let (number, role) = if respondent == 0 { (customer.habits.main_contact, "decision_maker") } else { (2, "user") };
    let user = Some(customer.profile.user(number));
    let data = Data::Survey { kind: "nps", score, scale_min: 0, scale_max: 10, direction: None, user, role: Some(role), ticket: None };
    customer.plan(time, EventType::SurveyAnswered, data);
}

fn answer_ces(customer: &mut Customer, day: Day, good: bool) {
    let (scale, direction) = if customer.surveys.low_is_good { ((1, 5), "down") } else { ((1, 7), "up") };
    let score = match (good, direction) {
        (true, "up") => customer.random.between(5, 7),
        (false, "up") => customer.random.between(1, 2),
        (true, _) => customer.random.between(1, 2),
        (false, _) => customer.random.between(4, 5),
    };
    plan_answer(customer, day, "ces", score, scale, Some(direction));
}

fn plan_answer(customer: &mut Customer, day: Day, kind: &'static str, score: i32, scale: (i32, i32), direction: Option<&'static str>) {
    let time = customer.office_time(day) + HOUR / 6;
    let user = Some(customer.profile.user(customer.habits.main_contact));
    let data = Data::Survey { kind, score, scale_min: scale.0, scale_max: scale.1, direction, user, role: None, ticket: None };
    customer.plan(time, EventType::SurveyAnswered, data);
}
