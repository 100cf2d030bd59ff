//! When a digest is due. What is sent to people goes by the clock on the wall; what stands in it goes by the log alone.

use jiff::Zoned;
use jiff::civil::{Date, Time};

/// The day whose digest is due now, unless it has been sent. A day that was missed is not made up for on the next.
pub(crate) fn due(now: &Zoned, at: Time, sent: Option<Date>) -> Option<Date> {
    let today = now.date();
    (now.time() >= at && sent.is_none_or(|sent| sent < today)).then_some(today)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn a_digest_is_due_once_a_day_from_its_time_on() {
        let (at, sent) = (time(8, 0, 0, 0), date(2026, 3, 28));
        let now = |text: &str| text.parse::<Zoned>().unwrap();
        assert_eq!(due(&now("2026-03-29T07:59[Europe/Berlin]"), at, Some(sent)), None);
        assert_eq!(due(&now("2026-03-29T08:00[Europe/Berlin]"), at, Some(sent)), Some(date(2026, 3, 29)));
        assert_eq!(due(&now("2026-03-29T23:59[Europe/Berlin]"), at, Some(date(2026, 3, 29))), None);
        assert_eq!(due(&now("2026-04-02T09:00[Europe/Berlin]"), at, Some(sent)), Some(date(2026, 4, 2)));
        assert_eq!(due(&now("2026-04-02T09:00[Europe/Berlin]"), at, None), Some(date(2026, 4, 2)));
        // At this instant it is the day before in New York, and long past eight.
        assert_eq!(
            due(
                &now("2026-03-29T02:00[Europe/Berlin]").with_time_zone(jiff::tz::TimeZone::get("America/New_York").unwrap()),
                at,
                Some(sent)
            ),
            None
        );
    }
}
