//! The timeline of one customer: health as a line, episodes as bars, the churn as a mark.

use bellwether_codec::timestamp::{format_time, parse_date_or_time};
use bellwether_engine::time::Time;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ChartError;
use super::charts::{BLUE, GREEN, GREY, LABEL, RED, draw, failed};
use crate::months::{date_text, month_of, name_of, start_of};
use crate::report::{EpisodeStory, Story};

/// Width, and height without episodes.
const SIZE: (u32, u32) = (480, 150);
/// Room at both sides, in months.
const MARGIN: f64 = 0.2;
/// Height of an episode's bar.
const ROW: u32 = 20;

/// Draws a story; `end` is where bars end that are open.
pub(super) fn timeline(story: &Story, end: &str) -> Result<String, ChartError> {
    let end = place(end);
    let churn = story.churned_at.as_deref().map(place);
    let health: Vec<(f64, f64)> =
        story.health.iter().filter_map(|point| Some((place(&format!("{}-01", point.month)), point.health?))).collect();
    let bars: Vec<(&EpisodeStory, f64, f64)> = story
        .episodes
        .iter()
        .map(|episode| (episode, place(&episode.raised_at), episode.closed_at.as_deref().map_or(end, place)))
        .collect();
    let times = || health.iter().map(|(x, _)| *x).chain(bars.iter().map(|(_, from, _)| *from)).chain(churn);
    let from = times().fold(f64::INFINITY, f64::min).min(end) - MARGIN;
    let to = bars.iter().map(|(.., to)| *to).chain(times()).fold(from, f64::max).min(churn.unwrap_or(end) + 1.0).max(from + 1.0) + MARGIN;
    // Health stands above 0, and the episodes below it, one under the other.
    let row = 12.0;
    let bottom = -row * bars.len() as f64 - 2.0;
    let size = (SIZE.0, SIZE.1 + ROW * bars.len() as u32);
    draw(size, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(6)
            .margin_right(44)
            .x_label_area_size(28)
            .y_label_area_size(42)
            .build_cartesian_2d(from..to, bottom..105.0)
            .map_err(failed)?;
        let score = |value: &f64| if *value < 0.0 { String::new() } else { format!("{value:.0}") };
        let mut mesh = chart.configure_mesh();
        mesh.disable_mesh().x_labels(4).y_labels(5).label_style(("sans-serif", LABEL));
        mesh.x_label_formatter(&date).y_label_formatter(&score).draw().map_err(failed)?;
        chart.draw_series(LineSeries::new(health.iter().copied(), GREEN.stroke_width(2))).map_err(failed)?;
        for (number, (episode, raised, closed)) in bars.iter().enumerate() {
            let top = -row * number as f64 - 2.0;
            let colour = match episode.outcome.as_str() {
                "true" => GREEN,
                "late" => BLUE,
                "censored" => GREY,
                _ => RED,
            };
            let closed = closed.min(to).max(raised + (to - from) / 300.0);
            chart.draw_series([Rectangle::new([(*raised, top), (closed, top - row * 0.7)], colour.mix(0.75).filled())]).map_err(failed)?;
            // Near the right edge the name stands before the bar, elsewhere behind it.
            let beside = (to - from) / 150.0;
            let (at, side) =
                if closed > from + (to - from) * 0.65 { (raised - beside, HPos::Right) } else { (closed + beside, HPos::Left) };
            let style = TextStyle::from(("sans-serif", LABEL).into_font()).pos(Pos::new(side, VPos::Top));
            let name = Text::new(episode.rule.clone(), (at, top), style);
            chart.draw_series([name]).map_err(failed)?;
        }
        if let Some(churn) = churn {
            chart.draw_series([PathElement::new(vec![(churn, bottom), (churn, 105.0)], RED.stroke_width(2))]).map_err(failed)?;
        }
        Ok(())
    })
}

/// Where a time of a report stands, in months: with whole months the axis has its ticks where months begin.
fn place(text: &str) -> f64 {
    let time = parse_date_or_time(text).unwrap_or(Time(0));
    debug_assert!(time > Time(0), "{text} is no time; {} is one", format_time(time));
    let month = month_of(time);
    f64::from(month) + time.since_ms(start_of(month)) as f64 / length_ms(month)
}

/// The month that begins at a place, or the date there.
fn date(place: &f64) -> String {
    let (month, part) = (place.floor() as i32, place.fract());
    if part < 1e-6 { name_of(month) } else { date_text(start_of(month).plus_ms((part * length_ms(month)) as i64)) }
}

fn length_ms(month: i32) -> f64 {
    start_of(month + 1).since_ms(start_of(month)) as f64
}
