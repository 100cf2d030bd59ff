//! What is known of the arrivals at an input partition, and when a whole source counts as silent.

use std::time::Duration;

use bellwether_engine::event_type::Family;
use bellwether_engine::silence::Families;
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use serde::{Deserialize, Serialize};

/// No silence shorter than this is told of itself.
pub const MIN_SILENCE_MS: i64 = HOUR_MS;

/// A silence is told when it is so many times as long as the longest usual gap.
pub const GAPS_PER_SILENCE: i64 = 2;

/// The longest gap is looked for in the last window of this length and the one before it: nights and weekends are no silence.
const WINDOW_MS: i64 = 7 * DAY_MS;

/// After a silence its source is listened to for as long as it lasted before it counts as resumed, but not longer than this.
pub const MAX_SETTLING_MS: i64 = 30 * DAY_MS;

/// When a source counts as silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SilentAfter {
    /// After twice its longest gap of the last one to two weeks, and an hour at least.
    #[default]
    Auto,
    /// After this time without a record.
    Duration(Duration),
    /// Never: its customers' silence is taken for theirs.
    Never,
}

impl SilentAfter {
    /// The shortest silence that is told, milliseconds, where gaps up to this one are usual; none where that cannot be said.
    fn limit_ms(self, usual_gap_ms: Option<i64>) -> Option<i64> {
        match self {
            Self::Never => Some(i64::MAX),
            Self::Duration(duration) => Some(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
            Self::Auto => Some(usual_gap_ms?.saturating_mul(GAPS_PER_SILENCE).max(MIN_SILENCE_MS)),
        }
    }
}

/// Arrivals at one input partition. It is kept beside the committed offset, so that whoever reads the partition next knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// The latest, milliseconds since the epoch; none before the first.
    latest: Option<i64>,
    /// When the window began.
    window_start: i64,
    /// The longest gap in it, milliseconds.
    longest_gap_ms: i64,
    /// The longest gap in the window before; none while the first is not over.
    longest_gap_before_ms: Option<i64>,
    /// After a gap that was a silence: until when the partition is listened to before it counts as resumed.
    settles_at: i64,
    /// Families of the events that came, by name.
    families: Vec<String>,
}

impl Arrivals {
    /// A record arrived. One that is older than those before it tells nothing.
    pub fn note(&mut self, arrival: Time, after: SilentAfter) {
        let Some(latest) = self.latest else {
            (self.latest, self.window_start) = (Some(arrival.0), arrival.0);
            return;
        };
        if arrival.0 <= latest {
            return;
        }
        let gap_ms = arrival.0 - latest;
        if after.limit_ms(self.usual_gap_ms()).is_some_and(|limit_ms| gap_ms >= limit_ms) {
            self.settles_at = self.settles_at.max(arrival.0 + gap_ms.min(MAX_SETTLING_MS));
        }
        self.latest = Some(arrival.0);
        // Silences are learned too: a source may change its ways for good.
        self.longest_gap_ms = self.longest_gap_ms.max(gap_ms);
        if arrival.0.saturating_sub(self.window_start) >= WINDOW_MS {
            self.longest_gap_before_ms = Some(self.longest_gap_ms);
            (self.window_start, self.longest_gap_ms) = (arrival.0, 0);
        }
    }

    /// No arrival is later than the present: what says so was seen by a clock that was ahead.
    pub fn not_after(&mut self, now: Time) {
        self.latest = self.latest.map(|latest| latest.min(now.0));
        self.window_start = self.window_start.min(now.0);
        self.settles_at = self.settles_at.min(now.0.saturating_add(MAX_SETTLING_MS));
    }

    /// An event of this family came.
    pub fn note_family(&mut self, family: Family) {
        if !self.families.iter().any(|known| known == family.name()) {
            self.families.push(family.name().to_owned());
        }
    }

    fn usual_gap_ms(&self) -> Option<i64> {
        Some(self.longest_gap_before_ms?.max(self.longest_gap_ms))
    }
}

/// Whether a source is silent, by what is known of all of its partitions: arrivals, and up to where they are journaled. `before` is what was
/// told last. `None` where that cannot be said: something is not read yet, nothing ever came, or what is usual is not known yet.
pub fn is_silent<'p>(
    after: SilentAfter,
    before: Option<bool>,
    partitions: impl Iterator<Item = (&'p Arrivals, Time)> + Clone,
) -> Option<bool> {
    let until = partitions.clone().map(|(_, until)| until).min().filter(|until| *until != Time::MIN)?;
    let arrivals = partitions.map(|(arrivals, _)| arrivals);
    let latest = arrivals.clone().filter_map(|arrivals| arrivals.latest).max()?;
    let usual_gap_ms = arrivals.clone().filter_map(Arrivals::usual_gap_ms).min();
    if until.since_ms(Time(latest)) >= after.limit_ms(usual_gap_ms)? {
        return Some(true);
    }
    let settles_at = arrivals.map(|arrivals| arrivals.settles_at).max()?;
    if after != SilentAfter::Never && until.0 < settles_at { before } else { Some(false) }
}

/// The families that a source delivers.
pub fn families<'p>(partitions: impl Iterator<Item = &'p Arrivals>) -> Families {
    Families::named(partitions.flat_map(|arrivals| &arrivals.families).map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(hours: impl IntoIterator<Item = i64>) -> Arrivals {
        let mut arrivals = Arrivals::default();
        hours.into_iter().for_each(|hour| arrivals.note(Time(hour * HOUR_MS), SilentAfter::Auto));
        arrivals
    }

    /// The first whole hour of silence after the last arrival.
    fn silent_after_hours(after: SilentAfter, partitions: &[Arrivals]) -> Option<i64> {
        let latest = partitions.iter().filter_map(|arrivals| arrivals.latest).max()? / HOUR_MS;
        let is_silent = |hours: i64| {
            let until = Time((latest + hours) * HOUR_MS);
            is_silent(after, None, partitions.iter().map(|arrivals| (arrivals, until)))
        };
        (0..1_000).find(|hours| is_silent(*hours) == Some(true))
    }

    #[test]
    fn nights_and_weekends_are_usual() {
        // Every hour from 8 to 18 on five days of seven.
        let open = |hour: &i64| (hour / 24) % 7 < 5 && (8..=18).contains(&(hour % 24));
        let usual = arrivals((0..24 * 21).filter(open));
        assert_eq!(silent_after_hours(SilentAfter::Auto, &[usual]), Some(2 * (2 * 24 + 14)));
    }

    #[test]
    fn a_source_that_never_rests_is_silent_after_an_hour() {
        let busy = arrivals(0..24 * 8);
        assert_eq!(silent_after_hours(SilentAfter::Auto, std::slice::from_ref(&busy)), Some(2));
        let mut busier = busy;
        (0..9 * 24 * 60).for_each(|minute| busier.note(Time(24 * 8 * HOUR_MS + minute * HOUR_MS / 60), SilentAfter::Auto));
        (0..=9 * 24 * 60).for_each(|minute| busier.note(Time(24 * 17 * HOUR_MS + minute * HOUR_MS / 60), SilentAfter::Auto));
        assert_eq!(silent_after_hours(SilentAfter::Auto, &[busier]), Some(1));
    }

    #[test]
    fn what_is_usual_must_be_known() {
        assert_eq!(silent_after_hours(SilentAfter::Auto, &[arrivals(0..24 * 6)]), None);
        assert_eq!(silent_after_hours(SilentAfter::Auto, &[arrivals(0..24 * 6), arrivals(0..24 * 8)]), Some(2));
        let after = SilentAfter::Duration(Duration::from_secs(3 * 3_600));
        assert_eq!(silent_after_hours(after, &[arrivals(0..2)]), Some(3));
        assert_eq!(silent_after_hours(SilentAfter::Never, &[arrivals(0..24 * 8)]), None);
    }

    #[test]
    fn what_is_not_read_is_no_silence() {
        let (one, other) = (arrivals(0..24 * 8), arrivals(0..24 * 8));
        let late = Time(24 * 20 * HOUR_MS);
        let silent = |until| is_silent(SilentAfter::Auto, None, [(&one, late), (&other, until)].into_iter());
        assert_eq!([silent(late), silent(Time(24 * 8 * HOUR_MS)), silent(Time::MIN)], [Some(true), Some(false), None]);
        assert_eq!(is_silent(SilentAfter::Auto, None, [(&Arrivals::default(), late)].into_iter()), None, "nothing ever came");
    }

    #[test]
    fn a_source_that_speaks_again_is_listened_to_for_a_while() {
        // Hourly for eight days, silent for ten, and hourly again.
        let known = arrivals((0..24 * 8).chain(24 * 18..24 * 40));
        let told = |before, day| is_silent(SilentAfter::Auto, before, [(&known, Time(day * DAY_MS))].into_iter());
        assert_eq!([27, 28].map(|day| told(Some(true), day)), [Some(true), Some(true)]);
        assert_eq!([29, 40].map(|day| told(Some(true), day)), [Some(false), Some(false)]);
        assert_eq!([27, 29].map(|day| told(None, day)), [None, Some(false)], "who begins does not know what was told");
        assert_eq!(silent_after_hours(SilentAfter::Auto, &[known]), Some(2), "after two weeks the silence is not taken for usual any more");
    }

    #[test]
    fn a_source_that_changes_its_ways_is_not_silent_for_ever() {
        // Hourly for eight days, and weekly from then on.
        let known = arrivals((0..24 * 8).chain((2..8).map(|week| week * 24 * 7)));
        assert_eq!(silent_after_hours(SilentAfter::Auto, std::slice::from_ref(&known)), Some(2 * 24 * 7));
        let until = Time(24 * 7 * 7 * HOUR_MS);
        assert_eq!(is_silent(SilentAfter::Auto, Some(true), [(&known, until)].into_iter()), Some(false));
    }

    #[test]
    fn late_records_are_no_arrivals_of_now() {
        let mut known = arrivals([0, 5]);
        known.note(Time(3 * HOUR_MS), SilentAfter::Auto);
        assert_eq!(known, arrivals([0, 5]));
    }

    #[test]
    fn families_are_those_of_all_partitions() {
        let (mut one, mut other) = (Arrivals::default(), Arrivals::default());
        [Family::Login, Family::Usage, Family::Login].into_iter().for_each(|family| one.note_family(family));
        other.note_family(Family::Ticket);
        let all = families([&one, &other].into_iter());
        assert_eq!(all.names().collect::<Vec<_>>(), ["login", "ticket", "usage"]);
    }
}
