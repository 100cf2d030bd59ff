//! Tables for people, as wide as their terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// An empty table with these headings, of which those at the places in `numbers` stand above numbers. Where there is no terminal it is at most so many
/// characters wide.
pub fn text_table<const COLUMNS: usize>(headings: [&str; COLUMNS], numbers: &[usize], width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(width);
    }
    table.set_header(headings);
    for number in numbers {
        table.column_mut(*number).into_iter().for_each(|column| {
            column.set_cell_alignment(CellAlignment::Right);
        });
    }
    table
}
