//! The table of the most valuable open signals.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::open_signals::OpenSignal;
use crate::sizes::money;

/// The width where there is no terminal.
const WIDTH: u16 = 140;

/// The first ten of some signals, a row each.
pub fn table(signals: &[&OpenSignal]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(WIDTH);
    }
    table.set_header(["customer", "signal", "since", "severity", "MRR", "priority", "reason"]);
    for number in [4, 5] {
        table.column_mut(number).into_iter().for_each(|column| {
            column.set_cell_alignment(CellAlignment::Right);
        });
    }
    for signal in signals.iter().take(10) {
        let details = &signal.data;
        let since = details.raised_at.split('T').next().unwrap_or_default();
        let mrr = money(details.mrr_minor, details.currency.as_deref().unwrap_or_default());
        let priority = format!("{:.1}", details.priority.score);
        table.add_row([&signal.customer, &details.rule, since, &details.severity, mrr.trim_end(), &priority, &details.summary]);
    }
    table
}
