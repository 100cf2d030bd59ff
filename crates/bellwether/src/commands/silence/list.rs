//! `bellwether silence list`: what is kept back, until when, and why.

use bellwether_codec::timestamp::format_time;
use bellwether_engine::time::Time;
use clap::Args;
use comfy_table::{Table, presets};

use super::place::Place;
use crate::failure::{Failure, Outcome};
use crate::silence_text;
use crate::terminal::print;

/// List the silences, those that are over too
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether silence list --config bellwether.yaml")]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// Prints the list.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let silences = arguments.place.read()?.parse()?.settings.life.silences;
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["name", "about", "from", "until", "reason"]);
    for silence in &silences {
        let from = if silence.from == Time::MIN { "-".to_owned() } else { format_time(silence.from) };
        table.add_row([silence.name.clone(), silence_text::about(silence), from, format_time(silence.until), silence.reason.clone()]);
    }
    print(&table.trim_fmt())?;
    Ok(Outcome::Done)
}
