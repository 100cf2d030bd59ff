//! Lift over the base rate, and the burden of all alarms.

use bellwether_engine::rule::Kind;
use bellwether_engine::time::{DAY_MS, Time};

use super::{Company, Episode, Judgement, Outcome, Truth, customer_months, median, outcome};

/// What an alarm on a random day of a random customer would be worth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Base {
    /// Customer-days on which it would be true.
    pub true_days: u64,
    /// Customer-days on which it would be false.
    pub false_days: u64,
}

impl Base {
    /// The precision of such alarms.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.true_days as f64 / (self.true_days + self.false_days) as f64
    }

    /// Counts the days of all customers, from their warm-up on until they leave.
    #[must_use]
    pub fn of(company: &Company, judgement: &Judgement) -> Self {
        let mut base = Self::default();
        for truth in company.values() {
            base.add(truth, judgement);
        }
        base
    }

    fn add(&mut self, truth: &Truth, judgement: &Judgement) {
        let end = truth.churn().unwrap_or(judgement.log_end);
        let mut day = Time(truth.start.0 + judgement.warm_up_ms);
        while day < end {
            let alarm = Episode { customer: String::new(), rule: String::new(), kind: Kind::AtRisk, raised: day, ended: None };
            match outcome(&alarm, truth, judgement) {
                Outcome::True => self.true_days += 1,
                Outcome::False => self.false_days += 1,
                Outcome::Late | Outcome::Censored | Outcome::After => {}
            }
            day = Time(day.0 + DAY_MS);
        }
    }
}

/// The figures of a set of rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overall {
    /// At-risk alarms that were true, late, false and not known yet.
    pub outcomes: [usize; 4],
    /// True of true and false.
    pub precision: f64,
    /// That, over the base rate.
    pub lift: f64,
    /// Who left and was warned of, of all who left after their warm-up, those without any sign too.
    pub recall: f64,
    /// Median days from the first true alarm to notice or end.
    pub lead_days: Option<f64>,
    /// At-risk alarms for 1,000 customer-months.
    pub at_risk_kcm: f64,
    /// All alarms of every kind for 1,000 customer-months.
    pub burden_kcm: f64,
}

/// Judges the at-risk episodes that `counts` picks, and counts all that it picks.
#[must_use]
pub fn overall(company: &Company, episodes: &[Episode], judgement: &Judgement, base: Base, counts: impl Fn(&Episode) -> bool) -> Overall {
    let kilo_months = customer_months(company.values(), judgement) / 1_000.0;
    let counted: Vec<&Episode> = episodes.iter().filter(|episode| counts(episode)).collect();
    let mut figures = Overall { burden_kcm: counted.len() as f64 / kilo_months, ..Overall::default() };
    let mut at_risk = 0;
    for episode in counted.iter().filter(|episode| episode.kind == Kind::AtRisk) {
        at_risk += 1;
        let Some(truth) = company.get(&episode.customer) else { continue };
        let place = match outcome(episode, truth, judgement) {
            Outcome::True => 0,
            Outcome::Late => 1,
            Outcome::False => 2,
            Outcome::Censored => 3,
            Outcome::After => continue,
        };
        figures.outcomes[place] += 1;
    }
    figures.at_risk_kcm = f64::from(at_risk) / kilo_months;
    figures.precision = figures.outcomes[0] as f64 / (figures.outcomes[0] + figures.outcomes[2]) as f64;
    figures.lift = figures.precision / base.rate();
    let rows = super::story_table(company, episodes, judgement, &counts);
    let (left, warned) = rows.values().fold((0, 0), |(left, warned), row| (left + row.left, warned + row.warned));
    figures.recall = warned as f64 / left as f64;
    figures.lead_days = median(leads(company, episodes, judgement, &counts));
    figures
}

/// How often a customer comes to be at risk, for 1,000 customer-months: at-risk alarms that are raised while no other of the customer is open. The
/// others go along with one that its owner looks at already.
#[must_use]
pub fn comings_at_risk_kcm(company: &Company, episodes: &[Episode], judgement: &Judgement, counts: impl Fn(&Episode) -> bool) -> f64 {
    let mut at_risk: Vec<&Episode> = episodes.iter().filter(|episode| episode.kind == Kind::AtRisk && counts(episode)).collect();
    at_risk.sort_by(|one, other| (&one.customer, one.raised).cmp(&(&other.customer, other.raised)));
    let mut comings = 0;
    let mut open_until: Option<(&str, Time)> = None;
    for episode in at_risk {
        let before = open_until.filter(|(customer, _)| *customer == episode.customer).map(|(_, until)| until);
        if before.is_none_or(|until| until < episode.raised) {
            comings += 1;
        }
        let until = episode.ended.unwrap_or(judgement.log_end);
        open_until = Some((&episode.customer, before.map_or(until, |before| before.max(until))));
    }
    f64::from(comings) * 1_000.0 / customer_months(company.values(), judgement)
}

fn leads(company: &Company, episodes: &[Episode], judgement: &Judgement, counts: impl Fn(&Episode) -> bool) -> Vec<f64> {
    let mut leads = std::collections::BTreeMap::new();
    for episode in episodes.iter().filter(|episode| episode.kind == Kind::AtRisk && counts(episode)) {
        let Some(truth) = company.get(&episode.customer) else { continue };
        if let (Outcome::True, Some(churn)) = (outcome(episode, truth, judgement), truth.churn()) {
            let lead_days = churn.since_ms(episode.raised) as f64 / DAY_MS as f64;
            let longest = leads.entry(&episode.customer).or_insert(lead_days);
            *longest = lead_days.max(*longest);
        }
    }
    leads.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Time {
        Time(day * DAY_MS)
    }

    /// One that leaves on day 200 and one that stays, in a log of 400 days.
    fn company() -> Company {
        let truth = |notice: Option<i64>| Truth {
            story: "slow-decline".to_owned(),
            start: day(0),
            decision: notice.map(|notice| day(notice - 10)),
            notice: notice.map(day),
            end: None,
            upsell: None,
        };
        [("leaves".to_owned(), truth(Some(200))), ("stays".to_owned(), truth(None))].into_iter().collect()
    }

    fn episode(customer: &str, raised: i64) -> Episode {
        Episode { customer: customer.to_owned(), rule: "rule".to_owned(), kind: Kind::AtRisk, raised: day(raised), ended: None }
    }

    #[test]
    fn an_alarm_on_any_day_is_as_good_as_the_base_rate() {
        let (company, judgement) = (company(), Judgement::until(day(400)));
        let base = Base::of(&company, &judgement);
        // True are leads of 14 to 90 days; false the days before them, and of who stays those with 90 days of log to come.
        assert_eq!(base, Base { true_days: 77, false_days: 82 + 283 });
        let every_day: Vec<Episode> = (28..400).flat_map(|day| [episode("leaves", day), episode("stays", day)]).collect();
        let figures = overall(&company, &every_day, &judgement, base, |_| true);
        assert!((figures.lift - 1.0).abs() < 1e-9, "{figures:?}");
        assert_eq!(figures.outcomes, [77, 14, 82 + 283, 89]);
    }

    #[test]
    fn the_first_true_alarm_counts_for_the_story() {
        let (company, judgement) = (company(), Judgement::until(day(400)));
        let episodes = [episode("leaves", 100), episode("leaves", 150), episode("leaves", 160), episode("stays", 50)];
        let row = &super::super::story_table(&company, &episodes, &judgement, |_| true)["slow-decline"];
        assert_eq!((row.customers, row.left, row.warned), (2, 1, 1));
        assert_eq!((row.lead_to_decision_days, row.lead_to_churn_days), (Some(40.0), Some(50.0)));
        let figures = overall(&company, &episodes, &judgement, Base::of(&company, &judgement), |_| true);
        assert_eq!((figures.outcomes, figures.lead_days), ([2, 0, 2, 0], Some(50.0)));
    }

    #[test]
    fn an_alarm_beside_an_open_one_is_no_new_coming() {
        let (company, judgement) = (company(), Judgement::until(day(400)));
        let until = |ended: i64, episode: Episode| Episode { ended: Some(day(ended)), ..episode };
        let episodes = [until(50, episode("stays", 20)), until(30, episode("stays", 25)), episode("stays", 40), episode("leaves", 45)];
        let comings = comings_at_risk_kcm(&company, &episodes, &judgement, |_| true);
        assert!((comings - 2.0 * 1_000.0 / customer_months(company.values(), &judgement)).abs() < 1e-9, "{comings}");
        let apart = [until(50, episode("stays", 20)), episode("stays", 51)];
        let comings = comings_at_risk_kcm(&company, &apart, &judgement, |_| true);
        assert!((comings - 2.0 * 1_000.0 / customer_months(company.values(), &judgement)).abs() < 1e-9, "{comings}");
    }
}
