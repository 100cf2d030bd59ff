//! What a partition has put out and not published yet, as the store keeps it: lines, and how many of each kind they are.

use bellwether_codec::rendered::Rendered;
use bellwether_engine::signal::Transition;

use crate::error::LiveError;

/// Counts by rule and transition.
type Counts = Vec<(String, String, u64)>;

/// Names under which outputs are counted that are no transitions.
const OTHER_NAMES: [&str; 2] = ["decided", "outcome"];

/// The bytes of an outbox; none if it is empty.
pub(crate) fn encode(outbox: &Rendered) -> Vec<u8> {
    if outbox.signals.is_empty() && outbox.decisions.is_empty() {
        return Vec::new();
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let counts: Counts = outbox.counts.iter().map(|((rule, name), count)| (rule.clone(), (*name).to_owned(), *count)).collect();
    serde_json::to_vec(&(text(&outbox.signals), text(&outbox.decisions), counts)).expect("an outbox is plain data")
}

/// The outbox of a partition.
pub(crate) fn decode(bytes: &[u8], partition: u16) -> Result<Rendered, LiveError> {
    let damaged = |error| LiveError::Damaged(format!("outbox of partition {partition}: {error}"));
    // Without counts it was written by an earlier version.
    let without = |_| serde_json::from_slice::<(String, String)>(bytes).map(|(signals, decisions)| (signals, decisions, Counts::new()));
    let (signals, decisions, counts) = serde_json::from_slice(bytes).or_else(without).map_err(damaged)?;
    let name = |name: &str| Transition::ALL.iter().map(|transition| transition.name()).chain(OTHER_NAMES).find(|known| *known == name);
    let counts = counts.into_iter().filter_map(|(rule, transition, count)| Some(((rule, name(&transition)?), count))).collect();
    Ok(Rendered { signals: signals.into(), decisions: decisions.into(), counts, ..Rendered::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_reads_back_with_its_counts() {
        let counts = [(("a".to_owned(), "raised"), 2), (("a".to_owned(), "outcome"), 1), (("b".to_owned(), "decided"), 3)];
        let outbox = Rendered { signals: b"one\n".to_vec(), decisions: b"two\n".to_vec(), counts: counts.into(), ..Rendered::default() };
        let read = decode(&encode(&outbox), 0).unwrap();
        assert_eq!((read.signals, read.decisions, read.counts), (outbox.signals, outbox.decisions, outbox.counts));
        assert!(encode(&Rendered::default()).is_empty());
        let earlier = decode(br#"["one\n","two\n"]"#, 0).unwrap();
        assert_eq!((earlier.signals.as_slice(), earlier.counts.len()), (b"one\n".as_slice(), 0));
        assert!(decode(b"[1]", 7).err().unwrap().to_string().contains("outbox of partition 7"));
    }
}
