//! The table of the most valuable open signals.

use comfy_table::Table;

use crate::open_signals::OpenSignal;
use crate::sizes::money;
use crate::text_table::text_table;

/// The width where there is no terminal.
const WIDTH: u16 = 140;

/// The first ten of some signals, a row each.
pub fn table(signals: &[&OpenSignal]) -> Table {
    let mut table = text_table(["customer", "signal", "since", "severity", "MRR", "priority", "reason"], &[4, 5], WIDTH);
    for signal in signals.iter().take(10) {
        let details = &signal.data;
        let since = details.raised_at.split('T').next().unwrap_or_default();
        let mrr = money(details.mrr_minor, details.currency.as_deref().unwrap_or_default());
        let priority = format!("{:.1}", details.priority.score);
        table.add_row([&signal.customer, &details.rule, since, &details.severity, mrr.trim_end(), &priority, &details.summary]);
    }
    table
}
