//! The table of everything that has a schema, by the crate that writes it.

use bellwether_codec::contract::{self, Contract};

use crate::commands::{dlq, journal, simulate, snapshot};
use crate::log_line;

/// All of them.
pub fn contracts() -> impl Iterator<Item = &'static Contract> {
    let backtest =
        [&bellwether_backtest::report::CONTRACT, &bellwether_backtest::explain::CONTRACT, &bellwether_backtest::fit::learn::CONTRACT];
    let binary = [&dlq::CONTRACT, &journal::CONTRACT, &snapshot::CONTRACT, &simulate::CONTRACT, &log_line::CONTRACT];
    contract::ALL.iter().chain(backtest).chain(bellwether_forward::contract::ALL).chain(binary)
}
