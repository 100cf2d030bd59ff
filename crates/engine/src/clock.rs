//! Features that run with time, and the instant at which a comparison with one flips.

use crate::business_hours::BusinessHours;
use crate::expression::ComparisonOperator;
use crate::time::{HOUR_MS, Time};

/// How a clock feature runs.
#[derive(Clone, Copy, Debug)]
pub enum Clock<'a> {
    /// Time since an instant, in units of so many milliseconds.
    Since(Time, i64),
    /// Time until an instant.
    Until(Time, i64),
    /// Business hours since an instant.
    BusinessHoursSince(Time, &'a BusinessHours),
}

impl Clock<'_> {
    /// Its value at an instant, in its unit.
    #[must_use]
    pub fn value(self, now: Time) -> f64 {
        match self {
            Clock::Since(origin, unit_ms) => now.since_ms(origin) as f64 / unit_ms as f64,
            Clock::Until(end, unit_ms) => end.since_ms(now) as f64 / unit_ms as f64,
            Clock::BusinessHoursSince(origin, hours) => hours.between(origin, now),
        }
    }

    /// The first instant after `now` at which `self operator threshold` changes; `None` when it has, or never does.
    #[must_use]
    pub fn next_flip(self, operator: ComparisonOperator, threshold: f64, now: Time) -> Option<Time> {
        if !threshold.is_finite() || threshold.abs() > MAX_THRESHOLD {
            return None;
        }
        // Rising, >= and < flip on reaching the threshold, > and <= on passing it; falling, the other way round.
        let reaches = matches!(operator, ComparisonOperator::GreaterOrEqual | ComparisonOperator::Less);
        let flip = match self {
            Clock::Since(origin, unit_ms) => origin.plus_ms(first_ms(threshold, unit_ms, reaches)),
            Clock::Until(end, unit_ms) => end.plus_ms(1 - first_ms(threshold, unit_ms, reaches)),
            Clock::BusinessHoursSince(_, _) if threshold < 0.0 => return None,
            Clock::BusinessHoursSince(origin, hours) => hours.after_ms(origin, first_ms(threshold, HOUR_MS, reaches)),
        };
        (flip > now).then_some(flip)
    }
}

/// The first whole number of milliseconds that is as many units or more, or else more. What a clock says is a quotient: a product may be a
/// millisecond beside it.
fn first_ms(units: f64, unit_ms: i64, reaches: bool) -> i64 {
    let is_there = |ms: i64| {
        let value = ms as f64 / unit_ms as f64;
        if reaches { value >= units } else { value > units }
    };
    let mut first = (units * unit_ms as f64).ceil() as i64;
    while is_there(first - 1) {
        first -= 1;
    }
    while !is_there(first) {
        first += 1;
    }
    first
}

/// Thresholds beyond this many units are never reached.
const MAX_THRESHOLD: f64 = 1e9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::{DAY_MS, Day};
    use crate::zone::ZoneOffsets;

    /// Monday, 2026-03-02.
    const MONDAY: Day = Day(20_514);

    const OPERATORS: [ComparisonOperator; 4] =
        [ComparisonOperator::Less, ComparisonOperator::LessOrEqual, ComparisonOperator::Greater, ComparisonOperator::GreaterOrEqual];

    /// Before the flip the comparison is as it was, at the flip it is not; without a flip it stays as it is.
    fn check(clock: Clock<'_>, operator: ComparisonOperator, threshold: f64, now: Time) -> Result<(), TestCaseError> {
        let holds = |at: Time| operator.holds(clock.value(at), threshold);
        let flip = clock.next_flip(operator, threshold, now);
        let what = format!("{clock:?} {operator:?} {threshold}, now {} {}, {flip:?}", now.0, holds(now));
        match flip {
            Some(flip) => {
                prop_assert_eq!(holds(flip.plus_ms(-1)), holds(now), "before: {}", what);
                prop_assert_ne!(holds(flip), holds(now), "at it: {}", what);
            }
            None => prop_assert_eq!(holds(now.plus_ms(100_000 * DAY_MS)), holds(now), "much later: {}", what),
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

        #[test]
        fn a_comparison_flips_when_it_says(
            whole in -50_000_i32..50_000, parts in 1_i32..1_001, unit_ms in prop::sample::select(vec![HOUR_MS, DAY_MS]), start in 0_i64..DAY_MS,
            passed in -2_i64..3, is_until: bool, operator in prop::sample::select(OPERATORS.to_vec()),
        ) {
            let threshold = f64::from(whole) / f64::from(parts);
            let origin = MONDAY.start().plus_ms(start);
            let clock = if is_until { Clock::Until(origin, unit_ms) } else { Clock::Since(origin, unit_ms) };
            // Around the flip, and long before it.
            let away = (threshold * unit_ms as f64) as i64;
            for now in [origin, origin.plus_ms(away + passed), origin.plus_ms(-away + passed), Time(0)] {
                check(clock, operator, threshold, now)?;
            }
        }

        #[test]
        fn business_hours_flip_when_they_say(
            whole in 0_i32..5_000, parts in 1_i32..101, start in 0_i64..14 * DAY_MS, later in 0_i64..21 * DAY_MS,
            operator in prop::sample::select(OPERATORS.to_vec()),
        ) {
            let hours = BusinessHours { opens: 9, closes: 17, zone: ZoneOffsets::default(), closed: vec![Day(MONDAY.0 + 4), Day(MONDAY.0 + 7)] };
            let threshold = f64::from(whole) / f64::from(parts);
            // Often at the beginning or the end of a day of business.
            let start = if start % 3 == 0 { start / HOUR_MS * HOUR_MS } else { start };
            let origin = MONDAY.start().plus_ms(start);
            for now in [origin, origin.plus_ms(later)] {
                check(Clock::BusinessHoursSince(origin, &hours), operator, threshold, now)?;
            }
        }
    }

    #[test]
    fn eight_hours_and_two_tenths_are_passed_a_millisecond_later_than_the_product_says() {
        let clock = Clock::Since(Time(0), HOUR_MS);
        assert_eq!(clock.next_flip(ComparisonOperator::Greater, 8.2, Time(0)), Some(Time(29_520_001)));
        assert_eq!(clock.next_flip(ComparisonOperator::GreaterOrEqual, 1.1, Time(0)), Some(Time(3_960_000)));
    }
}
