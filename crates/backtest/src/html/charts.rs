//! The charts of a report, as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ChartError;
use crate::report::Report;

/// Width and height of a chart in its own units; the page scales it, on a phone to three quarters.
const SIZE: (u32, u32) = (480, 290);

/// Height of letters in the same units; at three quarters they can still be read.
pub(super) const LABEL: u32 = 17;

pub(super) const BLUE: RGBColor = RGBColor(38, 84, 124);
pub(super) const RED: RGBColor = RGBColor(200, 70, 48);
pub(super) const GREEN: RGBColor = RGBColor(62, 128, 84);
pub(super) const GREY: RGBColor = RGBColor(130, 130, 130);
const FAINT: RGBColor = RGBColor(225, 225, 225);

/// A line with its name and colour.
pub(super) struct Line {
    pub name: &'static str,
    pub colour: RGBColor,
    pub points: Vec<(f64, f64)>,
}

/// What is drawn beside the lines.
#[derive(Default)]
pub(super) struct Marks {
    /// A vertical line, with a name.
    pub at: Option<(f64, String)>,
    /// A point to look at.
    pub point: Option<(f64, f64)>,
    /// A horizontal line: what chance would give.
    pub chance: Option<f64>,
}

/// Draws into a string.
pub(super) fn draw(
    size: (u32, u32),
    draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), ChartError>,
) -> Result<String, ChartError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

pub(super) fn failed(error: impl std::fmt::Display) -> ChartError {
    ChartError(error.to_string())
}

/// How early the warnings came.
pub(super) fn lead_times(report: &Report) -> Result<String, ChartError> {
    let bars: Vec<(f64, f64, f64)> = report.lead_histogram.iter().map(|bin| (bin.from_days, bin.to_days, bin.churns as f64)).collect();
    bar_chart(&bars, "days from the warning to the churn", "churns", BLUE)
}

/// Churn by tenths of health.
pub(super) fn gains(report: &Report) -> Result<String, ChartError> {
    let bars: Vec<(f64, f64, f64)> =
        report.health.gains.iter().map(|gain| (f64::from(gain.decile) - 1.0, f64::from(gain.decile), gain.lift)).collect();
    bar_chart(&bars, "tenths of the customers, lowest health first", "churn over the mean", GREEN)
}

/// Precision against recall of looking at all under a health.
pub(super) fn precision_recall(report: &Report) -> Result<String, ChartError> {
    let points = report.health.curve.iter().map(|one| (one.recall, one.precision)).collect();
    let lines = [Line { name: "customers under a health", colour: BLUE, points }];
    let point = report.health.current.map(|current| (current.recall, current.precision));
    line_chart((0.0, 1.0), "recall", "precision", &lines, &Marks { point, chance: report.health.prevalence, ..Marks::default() })
}

/// Precision and recall by the health under which a customer counts as at risk.
pub(super) fn health_thresholds(report: &Report) -> Result<String, ChartError> {
    let curve = &report.health.curve;
    let lines = [
        Line { name: "precision", colour: BLUE, points: curve.iter().map(|one| (one.health, one.precision)).collect() },
        Line { name: "recall", colour: RED, points: curve.iter().map(|one| (one.health, one.recall)).collect() },
    ];
    let at = report.health.current.map(|current| (current.health, "red".to_owned()));
    line_chart((0.0, 100.0), "health", "share", &lines, &Marks { at, chance: report.health.prevalence, ..Marks::default() })
}

/// Precision and recall of the swept rule.
pub(super) fn sweep(report: &Report) -> Result<Option<String>, ChartError> {
    let Some(sweep) = &report.sweep else { return Ok(None) };
    let of = |figure: fn(&crate::report::RiskReport) -> Option<f64>| {
        sweep.points.iter().filter_map(|point| Some((point.value, figure(&point.figures)?))).collect::<Vec<_>>()
    };
    let lines = [
        Line { name: "precision", colour: BLUE, points: of(|figures| figures.precision) },
        Line { name: "recall", colour: RED, points: of(|figures| figures.recall) },
    ];
    let values = || sweep.points.iter().map(|point| point.value).chain([sweep.current]);
    let range = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let marks = Marks { at: Some((sweep.current, "now".to_owned())), chance: report.log.prevalence, ..Marks::default() };
    line_chart(range, &format!("{} of {}", sweep.param, sweep.rule), "share", &lines, &marks).map(Some)
}

/// Precision and recall by month.
pub(super) fn months(report: &Report) -> Result<String, ChartError> {
    let of = |figure: fn(&crate::report::MonthReport) -> Option<f64>| {
        let numbered = (0..).zip(&report.by_month).filter_map(|(number, month)| Some((f64::from(number), figure(month)?)));
        numbered.collect::<Vec<_>>()
    };
    let lines = [
        Line { name: "precision", colour: BLUE, points: of(|month| month.precision.filter(|_| month.is_complete)) },
        Line { name: "recall", colour: RED, points: of(|month| month.recall) },
    ];
    let names: Vec<String> = report.by_month.iter().map(|month| month.month.clone()).collect();
    let last = (names.len().max(2) - 1) as f64;
    let name = |position: &f64| names.get(position.round() as usize).cloned().unwrap_or_default();
    let marks = Marks { chance: report.log.prevalence, ..Marks::default() };
    draw(SIZE, |area| draw_lines(area, (0.0, last), ("month", "share"), &lines, &marks, &name))
}

fn line_chart(range: (f64, f64), x: &str, y: &str, lines: &[Line], marks: &Marks) -> Result<String, ChartError> {
    draw(SIZE, |area| draw_lines(area, range, (x, y), lines, marks, &plain))
}

fn draw_lines(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    (from, to): (f64, f64),
    (x, y): (&str, &str),
    lines: &[Line],
    marks: &Marks,
    x_text: &dyn Fn(&f64) -> String,
) -> Result<(), ChartError> {
    let to = if to > from { to } else { from + 1.0 };
    let highest = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y).chain(marks.chance).fold(0.05, f64::max);
    // There is room above the lines for their names.
    let top = (highest * 1.4).min(1.4);
    let beside = (to - from) / 100.0;
    let share = |value: &f64| if *value > 1.001 { String::new() } else { plain(value) };
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(20)
        .x_label_area_size(46)
        .y_label_area_size(58)
        .build_cartesian_2d(from..to, 0.0..top)
        .map_err(failed)?;
    let mut mesh = chart.configure_mesh();
    mesh.x_desc(x).y_desc(y).light_line_style(TRANSPARENT).bold_line_style(FAINT).x_labels(6).y_labels(6);
    mesh.label_style(("sans-serif", LABEL)).axis_desc_style(("sans-serif", LABEL)).x_label_formatter(&x_text);
    mesh.y_label_formatter(&share).draw().map_err(failed)?;
    if let Some(chance) = marks.chance {
        chart.draw_series([PathElement::new(vec![(from, chance), (to, chance)], GREY.stroke_width(1))]).map_err(failed)?;
        // Its name stands at the end where the lines are further away.
        let middle = (from + to) / 2.0;
        let distance = |at_right: bool| {
            let points = lines.iter().flat_map(|line| &line.points).filter(|(x, _)| (*x > middle) == at_right);
            points.map(|(_, y)| (y - chance).abs()).fold(f64::INFINITY, f64::min)
        };
        let (at, side) = if distance(true) > distance(false) { (to - beside, HPos::Right) } else { (from + beside, HPos::Left) };
        let above = TextStyle::from(("sans-serif", LABEL).into_font()).color(&GREY).pos(Pos::new(side, VPos::Bottom));
        chart.draw_series([Text::new("chance", (at, chance), above)]).map_err(failed)?;
    }
    if let Some((at, name)) = &marks.at {
        chart.draw_series([PathElement::new(vec![(*at, 0.0), (*at, top)], BLACK.stroke_width(1))]).map_err(failed)?;
        chart.draw_series([Text::new(name.clone(), (*at + beside, top), ("sans-serif", LABEL).into_font())]).map_err(failed)?;
    }
    for line in lines {
        let colour = line.colour;
        let series = chart.draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2))).map_err(failed)?;
        series.label(line.name).legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        let dots = line.points.iter().filter(|_| line.points.len() <= 40).map(|point| Circle::new(*point, 3, colour.filled()));
        chart.draw_series(dots).map_err(failed)?;
    }
    if let Some(point) = marks.point {
        chart.draw_series([Circle::new(point, 6, RED.filled())]).map_err(failed)?;
    }
    let mut labels = chart.configure_series_labels();
    labels
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", LABEL))
        .draw()
        .map_err(failed)
}

/// A number without the zeros behind it.
fn plain(value: &f64) -> String {
    format!("{}", (value * 1_000.0).round() / 1_000.0)
}

fn bar_chart(bars: &[(f64, f64, f64)], x: &str, y: &str, colour: RGBColor) -> Result<String, ChartError> {
    let from = bars.first().map_or(0.0, |(from, ..)| *from);
    let to = bars.last().map_or(1.0, |(_, to, _)| *to);
    let top = bars.iter().map(|(.., height)| *height).fold(1.0, f64::max) * 1.1;
    draw(SIZE, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .margin_right(20)
            .x_label_area_size(46)
            .y_label_area_size(58)
            .build_cartesian_2d(from..to, 0.0..top)
            .map_err(failed)?;
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(x).y_desc(y).disable_x_mesh().light_line_style(TRANSPARENT).bold_line_style(FAINT).x_labels(10).y_labels(6);
        mesh.label_style(("sans-serif", LABEL)).axis_desc_style(("sans-serif", LABEL));
        mesh.x_label_formatter(&plain).y_label_formatter(&plain).draw().map_err(failed)?;
        let gap = bars.first().map_or(0.0, |(from, to, _)| (to - from) * 0.05);
        let shapes = bars.iter().map(|(from, to, height)| Rectangle::new([(from + gap, 0.0), (to - gap, *height)], colour.filled()));
        chart.draw_series(shapes).map_err(failed)?;
        Ok(())
    })
}
