//! What an at-risk alarm was worth, seen from the end of the log.

use super::{Episode, Judgement, Truth};

/// The worth of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The customer left within the horizon, no sooner than the least useful lead, and the alarm still stood then.
    True,
    /// It left too soon after.
    Late,
    /// It did not leave within the horizon, or the alarm had ended when it would have been of use.
    False,
    /// The log ends before that can be said.
    Censored,
    /// Raised after the customer had left: no alarm.
    After,
}

/// The outcome of an at-risk episode.
#[must_use]
pub fn outcome(episode: &Episode, truth: &Truth, judgement: &Judgement) -> Outcome {
    let Some(churn) = truth.churn() else {
        let is_known = judgement.log_end.since_ms(episode.raised) >= judgement.horizon_ms;
        return if is_known { Outcome::False } else { Outcome::Censored };
    };
    let lead_ms = churn.since_ms(episode.raised);
    if lead_ms < 0 {
        return Outcome::After;
    }
    if lead_ms < judgement.min_lead_ms {
        return Outcome::Late;
    }
    let stood = episode.ended.is_none_or(|ended| churn.since_ms(ended) < judgement.min_lead_ms);
    if lead_ms <= judgement.horizon_ms && stood { Outcome::True } else { Outcome::False }
}

#[cfg(test)]
mod tests {
    use bellwether_engine::rule::Kind;
    use bellwether_engine::time::{DAY_MS, Time};

    use super::*;

    fn day(day: i64) -> Time {
        Time(day * DAY_MS)
    }

    /// Raised on one day and ended on another, of a customer that left on day 200, in a log of 400 days.
    fn of(raised: i64, ended: Option<i64>, churn: Option<i64>) -> Outcome {
        let truth = Truth { story: String::new(), start: day(0), decision: None, notice: churn.map(day), end: None, upsell: None };
        let episode =
            Episode { customer: String::new(), rule: String::new(), kind: Kind::AtRisk, raised: day(raised), ended: ended.map(day) };
        outcome(&episode, &truth, &Judgement::until(day(400)))
    }

    #[test]
    fn lead_decides() {
        let left = Some(200);
        assert_eq!([109, 110, 186, 187, 200, 201].map(|raised| of(raised, None, left)), {
            use Outcome::{After, False, Late, True};
            [False, True, True, Late, Late, After]
        });
    }

    #[test]
    fn an_alarm_that_ended_before_it_was_of_use_is_false() {
        assert_eq!([185, 186, 187].map(|ended| of(150, Some(ended), Some(200))), [Outcome::False, Outcome::False, Outcome::True]);
    }

    #[test]
    fn the_end_of_the_log_hides_what_comes() {
        assert_eq!([310, 311].map(|raised| of(raised, None, None)), [Outcome::False, Outcome::Censored]);
    }
}
