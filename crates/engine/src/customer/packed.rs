//! The compact byte form of a customer's state, and the bytes of what several of its parts hold.

pub(crate) use super::packed_reader::PackedReader;
pub(crate) use super::packed_writer::PackedWriter;

/// Something with a compact byte form.
pub(crate) trait Packed: Sized {
    /// Appends it.
    fn pack(&self, writer: &mut PackedWriter);

    /// Reads it back; `None` where the bytes end or make no sense.
    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self>;
}

/// How an instant is told: the two low bits of its first number.
pub(super) mod time_form {
    /// None of these: the number above says which.
    pub const FAR: u64 = 0;
    /// Milliseconds from the base.
    pub const MILLISECONDS: u64 = 1;
    /// Seconds from the base.
    pub const SECONDS: u64 = 2;
    /// Days from the base.
    pub const DAYS: u64 = 3;
    /// Above [`FAR`]: the end of time, its beginning, eight bytes that follow, or the instant told last, the one before it, and so on.
    pub const NEVER: u64 = 0;
    pub const MIN: u64 = 1 << 2;
    pub const RAW: u64 = 2 << 2;
    pub const AGAIN: u64 = 3 << 2;
}

/// Room made at first, so that most states need no more: for all bytes, for a text, and for stamps.
pub(super) const USUAL_BYTES: usize = 2_048;
pub(super) const USUAL_TEXT_BYTES: usize = 64;
pub(super) const USUAL_STAMPS: usize = 32;

/// How many stamps back one is looked for.
pub(super) const NEAR_STAMPS: usize = 8;

/// How many instants back one is looked for: so many that saying which takes one byte.
pub(super) const NEAR_TIMES: usize = 28;

/// Lengths under this fit a half byte beside another; longer ones follow.
pub(super) const SHORT: usize = 15;

/// Negative and positive numbers in turn, so that small ones either way are short.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The number that [`zigzag`] was given.
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::last_word::{LastWord, Stamp};
    use super::super::{Activity, Counts, LoginDays};
    use super::*;
    use crate::event::UserToken;
    use crate::time::{Day, Time};

    /// Writes, reads back, and tells the bytes left over.
    fn round_trip<T>(
        base: Day,
        put: impl FnOnce(&mut PackedWriter),
        take: impl FnOnce(&mut PackedReader<'_>) -> Option<T>,
    ) -> (Option<T>, usize) {
        let mut writer = PackedWriter::new();
        writer.put_base(base);
        put(&mut writer);
        let mut reader = PackedReader::new(&writer.bytes);
        assert_eq!(reader.take_base(), Some(base));
        let taken = take(&mut reader);
        (taken, reader.bytes.len())
    }

    fn times() -> impl Strategy<Value = i64> {
        let near = -200_000_000_000..200_000_000_000_i64;
        prop_oneof![
            any::<i64>(),
            near.clone(),
            near.clone().prop_map(|ms| ms * 1_000),
            near.prop_map(|days| days / 1_000 * 86_400_000),
            Just(i64::MAX),
            Just(i64::MIN)
        ]
    }

    proptest! {
        #[test]
        fn times_and_days(base: i32, times in prop::collection::vec(times(), 0..20), days: Vec<i32>) {
            let times: Vec<Time> = times.into_iter().map(Time).collect();
            let put = |writer: &mut PackedWriter| {
                times.iter().for_each(|time| writer.put_time(*time));
                days.iter().for_each(|day| writer.put_day(Day(*day)));
            };
            let take = |reader: &mut PackedReader<'_>| {
                let times: Option<Vec<_>> = times.iter().map(|_| reader.take_time()).collect();
                let days: Option<Vec<_>> = days.iter().map(|_| reader.take_day().map(|day| day.0)).collect();
                times.zip(days)
            };
            prop_assert_eq!(round_trip(Day(base), put, take), (Some((times.clone(), days.clone())), 0));
        }

        #[test]
        fn texts_whatever_they_share(texts in prop::collection::vec("[ab\u{e4}\u{1f600}]{0,40}", 0..20)) {
            let put = |writer: &mut PackedWriter| texts.iter().for_each(|text| writer.put_text(text));
            let take = |reader: &mut PackedReader<'_>| texts.iter().map(|_| reader.take_text().map(str::to_owned)).collect::<Option<Vec<_>>>();
            prop_assert_eq!(round_trip(Day(0), put, take), (Some(texts.clone()), 0));
        }

        #[test]
        fn registers_whose_stamps_come_again(words in prop::collection::vec((any::<bool>(), 0..20_i64, any::<u8>()), 0..60)) {
            let word = |(is_set, time, value): &(bool, i64, u8)| {
                let stamp = Stamp { time: Time(*time), tie: 7 };
                if *is_set { LastWord::from_entry(stamp, *value) } else { LastWord::default() }
            };
            let words: Vec<LastWord<u8>> = words.iter().map(word).collect();
            let put = |writer: &mut PackedWriter| words.iter().for_each(|word| writer.put_word(word, |writer, value| writer.bytes.push(*value)));
            let take = |reader: &mut PackedReader<'_>| words.iter().map(|_| reader.take_word(PackedReader::take_byte)).collect::<Option<Vec<_>>>();
            prop_assert_eq!(round_trip(Day(0), put, take), (Some(words.clone()), 0));
        }

        #[test]
        fn counts(base in 0..30_000, adds in prop::collection::vec((0..30_000_i32, 0..40_u32, any::<u32>()), 0..80)) {
            let mut counts = Counts::<56>::default();
            for (day, width, amount) in adds {
                counts.add(if width % 2 == 0 { day } else { 20_000 + day % 60 }, amount.checked_shr(width).unwrap_or(0));
            }
            let found = round_trip(Day(base), |writer| counts.pack(writer), Counts::unpack);
            prop_assert_eq!(found, (Some(counts), 0));
        }

        #[test]
        fn users_and_product_features(base in 19_900..20_300, uses in prop::collection::vec((0..9_u32, 0..12_i32, 0..4_u8, 0..70_i32), 0..120)) {
            let (mut activity, mut today, settings) = (Activity::default(), 20_000, crate::settings::Settings::default());
            for (number, pause, kind, late) in uses {
                today += if kind == 0 { pause * 6 } else { pause / 8 };
                let day = Day(if kind == 1 { today - late } else { today });
                activity.users.record(Some(UserToken(u64::from(number) << 40)).filter(|_| number > 1), day, Day(today));
                _ = activity.features.record(number * 77_777, day, Day(today), &settings);
                activity.usage_weeks.add(day.0 / 7, number);
            }
            let found = round_trip(Day(base), |writer| activity.pack(writer), Activity::unpack);
            prop_assert_eq!(found, (Some(activity), 0));
        }

        #[test]
        fn login_days(base in 0..30_000, density in 0..20_u32, days in prop::collection::vec((0..20_u32, any::<bool>()), 0..400)) {
            let mut marked = LoginDays::default();
            for (day, (chance, is_late)) in (20_000..).zip(days) {
                if chance <= density {
                    marked.mark(Day(day - if is_late { 9 } else { 0 }));
                }
            }
            let found = round_trip(Day(base), |writer| marked.pack(writer), LoginDays::unpack);
            prop_assert_eq!(found, (Some(marked), 0));
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) {
            _ = crate::customer::Customer::unpack(&mut PackedReader::new(&bytes));
            _ = LoginDays::unpack(&mut PackedReader::new(&bytes));
            _ = crate::customer::Users::unpack(&mut PackedReader::new(&bytes));
            _ = crate::customer::Support::unpack(&mut PackedReader::new(&bytes));
            _ = crate::customer::Onboarding::unpack(&mut PackedReader::new(&bytes));
            _ = crate::customer::Relation::unpack(&mut PackedReader::new(&bytes));
        }
    }
}
