//! How a customer is served: tickets and the answers to surveys.

use super::counts::Counts;
use super::last_word::LastWord;
use super::packed::{Packed, PackedReader, PackedWriter};
use super::table::{Entry, Table};
use crate::business_hours::BusinessHours;
use crate::event::{Priority, SurveyKind, TicketStep, UserToken};
use crate::time::{DAY_MS, Day, HOUR_MS, Time};

/// Tickets remembered per customer.
pub const MAX_TICKETS: usize = 24;
/// Survey answers remembered per customer, per kind of window the oldest go first.
pub const MAX_ANSWERS: usize = 24;
/// Days of ticket counts kept: 84 before the last 30.
pub const TICKET_WINDOW_DAYS: usize = 114;
/// Days of the longest window of CSAT and CES answers.
pub(crate) const RATINGS_WINDOW_DAYS: i32 = 84;
/// Days in which an NPS answer counts.
const NPS_WINDOW_DAYS: i32 = 90;

/// Support history of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Support {
    /// The tickets.
    pub tickets: Table<Ticket>,
    /// Tickets opened, by day.
    pub opened: Counts<TICKET_WINDOW_DAYS>,
    /// Tickets reopened, by day.
    pub reopened: Counts<90>,
    /// When the latest ticket was opened.
    pub last_opened: Option<Time>,
    /// Answers in the order (time, identity).
    answers: Vec<Answer>,
    /// The day of the latest rating that gave way, if a window lacked it then; the first of all days for none.
    forgotten_rating: Day,
}

/// One ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    name: Box<str>,
    /// The latest step of its life.
    pub status: LastWord<TicketStep>,
    /// Its priority.
    pub priority: LastWord<Priority>,
    /// When it was opened.
    pub opened_at: Option<Time>,
    /// The first answer.
    pub answered_at: Option<Time>,
    /// How often it was reopened.
    pub reopenings: u16,
}

impl Ticket {
    /// A ticket of that name of which nothing is known yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let (status, priority) = (LastWord::default(), LastWord::default());
        Self { name: name.into(), status, priority, opened_at: None, answered_at: None, reopenings: 0 }
    }

    /// Whether it waits for a solution.
    #[must_use]
    pub fn is_unsolved(&self) -> bool {
        self.status.get().is_none_or(|step| *step != TicketStep::Solved)
    }

    /// Its priority; normal when never told.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.priority.get().copied().unwrap_or_default()
    }

    /// When it was opened, and milliseconds from then to the first answer.
    #[must_use]
    pub fn first_response(&self) -> Option<(Time, i64)> {
        let opened = self.opened_at?;
        let waited_ms = self.answered_at?.since_ms(opened);
        (waited_ms >= 0).then_some((opened, waited_ms))
    }

    /// Hours from opening to the first answer.
    #[must_use]
    pub fn first_response_hours(&self) -> Option<f64> {
        self.first_response().map(|(_, waited_ms)| waited_ms as f64 / HOUR_MS as f64)
    }
}

impl Entry for Ticket {
    fn name(&self) -> &str {
        &self.name
    }

    fn ended_at(&self) -> Option<Time> {
        if self.is_unsolved() { None } else { self.status.time() }
    }
}

/// One survey answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    time: Time,
    identity: u64,
    /// The kind of survey.
    pub kind: SurveyKind,
    /// NPS: 0 to 10. Others: 0 to 1, where 1 is good.
    pub score: f32,
    user: Option<UserToken>,
    is_decision_maker: bool,
}

impl Answer {
    /// An answer whose score is mapped: NPS to 0-10, others to 0-1 with 1 the good end.
    #[must_use]
    pub fn new(time: Time, identity: u64, kind: SurveyKind, score: f32, user: Option<UserToken>) -> Self {
        Self { time, identity, kind, score, user, is_decision_maker: false }
    }

    /// The same answer, by somebody who decides.
    #[must_use]
    pub fn by_decision_maker(self, is_decision_maker: bool) -> Self {
        Self { is_decision_maker, ..self }
    }

    fn within(&self, today: Day, days: i32) -> bool {
        self.time.day().0 > today.0 - days
    }

    /// In the lowest two fifths of its scale.
    fn is_low(&self) -> bool {
        self.is_rating() && self.score < 0.4
    }

    fn is_rating(&self) -> bool {
        matches!(self.kind, SurveyKind::Csat | SurveyKind::Ces)
    }
}

impl Support {
    /// Keeps an answer; the oldest gives way when there are too many. Returns false when a window lacks it.
    pub fn answer(&mut self, answer: Answer, today: Day) -> bool {
        let place = self.answers.partition_point(|known| (known.time, known.identity) < (answer.time, answer.identity));
        super::make_room(&mut self.answers);
        self.answers.insert(place, answer);
        if self.answers.len() <= MAX_ANSWERS {
            return true;
        }
        let gone = self.answers.remove(self.least_needed());
        if gone.is_rating() {
            let is_needed = gone.within(today, RATINGS_WINDOW_DAYS);
            if is_needed {
                self.forgotten_rating = self.forgotten_rating.max(gone.time.day());
            }
            return !is_needed;
        }
        gone.kind != SurveyKind::Nps || !gone.within(today, NPS_WINDOW_DAYS)
    }

    /// What nobody asks for; then the oldest rating; without ratings, the oldest answer: who was asked for NPS counts by the last answer for a
    /// whole quarter.
    fn least_needed(&self) -> usize {
        let first = |is_it: fn(&Answer) -> bool| self.answers.iter().position(is_it);
        first(|answer| answer.kind == SurveyKind::Goal).or_else(|| first(Answer::is_rating)).unwrap_or(0)
    }

    /// The day from which on the ratings of so many days are known.
    #[must_use]
    pub fn ratings_known_from(&self, days: i32) -> Day {
        if self.forgotten_rating == Day(0) { Day(0) } else { Day(self.forgotten_rating.0.saturating_add(days)) }
    }

    /// The last NPS answer of each respondent within 90 days, and whether the respondent decides; an answer without a user is a respondent's only one.
    pub fn last_nps_answers(&self, today: Day) -> impl Iterator<Item = (f64, bool)> {
        let mut seen = Vec::new();
        let within = self.nps_answers().filter(move |answer| answer.within(today, NPS_WINDOW_DAYS));
        within.filter_map(move |answer| {
            if let Some(user) = answer.user {
                if seen.contains(&user) {
                    return None;
                }
                seen.push(user);
            }
            Some((f64::from(answer.score), answer.is_decision_maker))
        })
    }

    /// The first day after `today` on which an NPS answer does not count any more.
    #[must_use]
    pub fn next_nps_expiry(&self, today: Day) -> Option<Day> {
        let ends = self.nps_answers().map(|answer| Day(answer.time.day().0.saturating_add(NPS_WINDOW_DAYS)));
        ends.filter(|end| *end > today).min()
    }

    /// Mean of a kind over some days, 0 to 100.
    #[must_use]
    pub fn mean_rating(&self, kind: SurveyKind, today: Day, days: i32) -> Option<f64> {
        let of_kind = self.answers.iter().filter(|answer| answer.kind == kind && answer.within(today, days));
        let (count, sum) = of_kind.fold((0_u32, 0.0), |(count, sum), answer| (count + 1, sum + f64::from(answer.score)));
        (count > 0).then(|| 100.0 * sum / f64::from(count))
    }

    /// Ratings in the lowest two fifths over some days.
    #[must_use]
    pub fn low_ratings(&self, today: Day, days: i32) -> usize {
        self.answers.iter().filter(|answer| answer.is_low() && answer.within(today, days)).count()
    }

    /// The latest rating above the lowest two fifths.
    #[must_use]
    pub fn good_rating_at(&self) -> Option<Time> {
        self.answers.iter().rev().find(|answer| answer.is_rating() && !answer.is_low()).map(|answer| answer.time)
    }

    /// The latest NPS answer.
    #[must_use]
    pub fn latest_nps(&self) -> Option<(Time, f64)> {
        self.nps_answers().next().map(|answer| (answer.time, f64::from(answer.score)))
    }

    /// The latest NPS answer of the last 90 days.
    #[must_use]
    pub fn nps(&self, today: Day) -> Option<f64> {
        self.nps_answers().next().filter(|answer| answer.within(today, NPS_WINDOW_DAYS)).map(|answer| f64::from(answer.score))
    }

    /// That answer minus the one before by the same respondent.
    #[must_use]
    pub fn nps_change(&self, today: Day) -> Option<f64> {
        let mut answers = self.nps_answers();
        let latest = answers.next().filter(|answer| answer.user.is_some() && answer.within(today, NPS_WINDOW_DAYS))?;
        let before = answers.find(|answer| answer.user == latest.user)?;
        Some(f64::from(latest.score) - f64::from(before.score))
    }

    /// Median hours to the first answer over tickets answered in the last 28 days.
    #[must_use]
    pub fn first_response_hours(&self, today: Day) -> Option<f64> {
        let mut hours: Vec<f64> = self.answered_28d(today).filter_map(Ticket::first_response_hours).collect();
        hours.sort_by(f64::total_cmp);
        let middle = hours.len() / 2;
        match hours.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(hours[middle]),
            _ => Some((hours[middle - 1] + hours[middle]) / 2.0),
        }
    }

    /// Tickets of the last 28 days whose first answer came after the limit of their priority, in hours by [`Priority`]; in business hours
    /// where these are given.
    #[must_use]
    pub fn slow_first_responses(&self, today: Day, limits_hours: &[f64; 4], business: Option<&BusinessHours>) -> usize {
        let waited = |ticket: &Ticket| match business {
            Some(business) => Some(business.between(ticket.opened_at?, ticket.answered_at?)),
            None => ticket.first_response_hours(),
        };
        let slow = |ticket: &&Ticket| waited(ticket).is_some_and(|hours| hours > limits_hours[ticket.priority() as usize]);
        self.answered_28d(today).filter(slow).count()
    }

    fn nps_answers(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().rev().filter(|answer| answer.kind == SurveyKind::Nps)
    }

    fn answered_28d(&self, today: Day) -> impl Iterator<Item = &Ticket> {
        let first = Day(today.0 - 27).start();
        self.tickets
            .iter()
            .filter(move |ticket| ticket.answered_at.is_some_and(|time| time >= first && time.0 < today.next().start().0 + DAY_MS))
    }
}

impl Packed for Ticket {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_text(&self.name);
        writer.put_word(&self.status, |writer, step| writer.bytes.push(*step as u8));
        writer.put_word(&self.priority, |writer, priority| writer.bytes.push(*priority as u8));
        writer.put_optional_time(self.opened_at);
        writer.put_optional_time(self.answered_at);
        writer.put(u64::from(self.reopenings));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        const STEPS: [TicketStep; 4] = [TicketStep::Opened, TicketStep::Answered, TicketStep::Solved, TicketStep::Reopened];
        const PRIORITIES: [Priority; 4] = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
        Some(Self {
            name: reader.take_name()?,
            status: reader.take_word(|reader| reader.take_one_of(&STEPS))?,
            priority: reader.take_word(|reader| reader.take_one_of(&PRIORITIES))?,
            opened_at: reader.take_optional_time()?,
            answered_at: reader.take_optional_time()?,
            reopenings: reader.take_u16()?,
        })
    }
}

/// Beside the kind of an answer: its respondent decides.
const DECISION_MAKER: u8 = 0x80;

impl Packed for Answer {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_time(self.time);
        writer.bytes.extend_from_slice(&self.identity.to_le_bytes());
        writer.bytes.push(self.kind as u8 | if self.is_decision_maker { DECISION_MAKER } else { 0 });
        writer.bytes.extend_from_slice(&self.score.to_le_bytes());
        writer.put_user(self.user);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        const KINDS: [SurveyKind; 4] = [SurveyKind::Nps, SurveyKind::Csat, SurveyKind::Ces, SurveyKind::Goal];
        let time = reader.take_time()?;
        let identity = u64::from_le_bytes(reader.take_array()?);
        let kind = reader.take_byte()?;
        Some(Self {
            time,
            identity,
            kind: *KINDS.get(usize::from(kind & !DECISION_MAKER))?,
            score: f32::from_le_bytes(reader.take_array()?),
            user: reader.take_user()?,
            is_decision_maker: kind & DECISION_MAKER != 0,
        })
    }
}

impl Packed for Support {
    fn pack(&self, writer: &mut PackedWriter) {
        self.tickets.pack(writer);
        self.opened.pack(writer);
        self.reopened.pack(writer);
        writer.put_optional_time(self.last_opened);
        writer.put_count(self.answers.len(), self.forgotten_rating);
        self.answers.iter().for_each(|answer| answer.pack(writer));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let (tickets, opened, reopened) = (Packed::unpack(reader)?, Packed::unpack(reader)?, Packed::unpack(reader)?);
        let last_opened = reader.take_optional_time()?;
        let (count, forgotten_rating) = reader.take_count()?;
        let answers = reader.take_things(count, Packed::unpack)?;
        Some(Self { tickets, opened, reopened, last_opened, answers, forgotten_rating })
    }
}
