//! JSON Schema of what a forwarding writes besides the signals themselves.

use bellwether_codec::contract::Contract;

use crate::{digest, letters};

/// The contracts of this crate.
pub const ALL: &[Contract] = &[
    Contract { name: "digest", title: "The body of a daily digest, as a webhook is sent it", describe: digest::describe },
    Contract {
        name: "forward-dead-letter",
        title: "A message that is not tried any more, as a line of the dead letters of a route",
        describe: letters::describe,
    },
];
