//! `bellwether rules publish --dry-run`: what would become of the open episodes.

use std::io;
use std::sync::Arc;

use bellwether_backtest::journal::JournalReplay;
use bellwether_backtest::replay::Sink;
use bellwether_backtest::trial::{Change, Trial, trial};
use bellwether_codec::event::Decoder;
use bellwether_codec::rendered::Rendered;
use bellwether_live::kafka::Connect;
use comfy_table::{CellAlignment, Table, presets};

use crate::commands::replay_journal::Topic;
use crate::failure::{Failure, Outcome};
use crate::rule_text::{self, RuleText};
use crate::sizes::count;
use crate::terminal::{print, tell};

/// Replays the journal up to now under its own rules, then tries the given ones on what came of it.
pub fn run(connect: &Connect, rules: &RuleText) -> Result<Outcome, Failure> {
    let journal = Topic::reached_by(connect.connection(), &connect.settings().journal.topic)?;
    let replay = JournalReplay { decoder: Decoder::default(), compile_rules: &rule_text::compile, rules: None };
    let replayed = replay.run(&journal, &mut Nowhere)?;
    let in_force = replayed.partitions.first().map_or(0, |partition| partition.header.rule_set);
    let customers: usize = replayed.partitions.iter().map(|partition| partition.resident()).sum();
    let Trial { changes, left_out } = trial(replayed.partitions, &Arc::new(rules.parse()?.rule_set(in_force + 1)));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["rule", "opens", "clears", "expires", "keeps"]);
    for number in 1..5 {
        table.column_mut(number).into_iter().for_each(|column| {
            column.set_cell_alignment(CellAlignment::Right);
        });
    }
    let mut all = Change::default();
    for (rule, change) in &changes {
        let Change { opens, clears, expires, keeps } = *change;
        table.add_row([rule.clone(), count(opens), count(clears), count(expires), count(keeps)]);
        all = Change { opens: all.opens + opens, clears: all.clears + clears, expires: all.expires + expires, keeps: all.keeps + keeps };
    }
    print(&table.trim_fmt())?;
    tell(&format!(
        "published now, {} as rule set {} would open {} episodes of {} customers, close {}, and keep {}; nothing was published",
        rules.name,
        in_force + 1,
        count(all.opens),
        count(customers),
        count(all.clears + all.expires),
        count(all.keeps)
    ));
    if left_out > 0 {
        let customers = count(left_out);
        tell(&format!(
            "{customers} customers are not counted: evaluating them panicked, which is a defect of the program; see the log lines above"
        ));
    }
    Ok(Outcome::Done)
}

/// What was decided before is not asked for.
struct Nowhere;

impl Sink for Nowhere {
    fn append(&mut self, _rendered: &Rendered) -> io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}
