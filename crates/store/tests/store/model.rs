//! Any sequence of commits, flushes, reopenings, exports, imports and drops leaves what plain maps would hold.

use std::collections::BTreeMap;

use bellwether_store::{Commit, Durability, PartitionFile, Position, Store};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::{at, new_store, open};

#[derive(Debug, Clone)]
enum Step {
    Commit {
        partition: u16,
        stale: bool,
        writes: Vec<Write>,
    },
    Flush,
    Reopen,
    /// Keeps the partition in a file.
    Export(u16),
    /// Brings the partition back from its file, if there is one.
    Import(u16),
    Drop(u16),
}

#[derive(Debug, Clone)]
enum Write {
    PutState(u128, Vec<u8>),
    DeleteState(u128),
    PutTimer(u128, i64),
    DeleteTimer(u128),
    AppendBlock(u64, Vec<u8>),
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Partition {
    position: Position,
    states: BTreeMap<u128, Vec<u8>>,
    timers: BTreeMap<u128, i64>,
    blocks: BTreeMap<u64, Vec<u8>>,
}

fn write() -> impl Strategy<Value = Write> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        (0_u128..6, bytes()).prop_map(|(customer, state)| Write::PutState(customer, state)),
        (0_u128..6).prop_map(Write::DeleteState),
        (0_u128..6, any::<i64>()).prop_map(|(customer, due)| Write::PutTimer(customer, due)),
        (0_u128..6).prop_map(Write::DeleteTimer),
        (0_u64..50, bytes()).prop_map(|(offset, block)| Write::AppendBlock(offset, block)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let commit = (0_u16..3, prop::bool::weighted(0.2), prop::collection::vec(write(), 0..8));
    prop_oneof![
        8 => commit.prop_map(|(partition, stale, writes)| Step::Commit { partition, stale, writes }),
        1 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        1 => (0_u16..3).prop_map(Step::Export),
        1 => (0_u16..3).prop_map(Step::Import),
        1 => (0_u16..3).prop_map(Step::Drop),
    ]
}

fn commit_of(partition: u16, start: Position, end: Position, writes: &[Write]) -> Commit {
    let mut commit = Commit::new();
    for write in writes {
        match write {
            Write::PutState(customer, state) => commit.put_state(partition, *customer, state),
            Write::DeleteState(customer) => commit.delete_state(partition, *customer),
            Write::PutTimer(customer, due) => commit.put_timer(partition, *customer, *due),
            Write::DeleteTimer(customer) => commit.delete_timer(partition, *customer),
            Write::AppendBlock(offset, block) => commit.append_journal_block(partition, *offset, block),
        }
    }
    commit.advance(partition, start, end, b"body");
    commit
}

impl Partition {
    fn apply(&mut self, end: Position, writes: &[Write]) {
        self.position = end;
        for write in writes.iter().cloned() {
            match write {
                Write::PutState(customer, state) => drop(self.states.insert(customer, state)),
                Write::DeleteState(customer) => drop(self.states.remove(&customer)),
                Write::PutTimer(customer, due) => drop(self.timers.insert(customer, due)),
                Write::DeleteTimer(customer) => drop(self.timers.remove(&customer)),
                Write::AppendBlock(offset, block) => drop(self.blocks.insert(offset, block)),
            }
        }
    }

    /// Takes over what the fold made of another one, and keeps the own journal.
    fn replace(&mut self, by: Partition) {
        let blocks = std::mem::take(&mut self.blocks);
        *self = Partition { blocks, ..by };
    }

    fn read(store: &Store, partition: u16) -> Self {
        Self {
            position: store.header(partition).unwrap().map(|header| header.position).unwrap_or_default(),
            states: store.all_states(partition, 0).map(Result::unwrap).collect(),
            timers: store.timers(partition).map(|timer| timer.unwrap()).map(|(due, customer)| (customer, due)).collect(),
            blocks: store.journal_blocks(partition, 0).map(Result::unwrap).collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_holds_what_plain_maps_would(steps in prop::collection::vec(step(), 1..40)) {
        let (directory, mut store) = new_store();
        let files = TempDir::new().unwrap();
        let file = |partition| files.path().join(format!("{partition}.sst"));
        let (mut model, mut kept) = (BTreeMap::<u16, Partition>::new(), BTreeMap::<u16, Partition>::new());
        for step in steps {
            match step {
                Step::Commit { partition, stale, writes } => {
                    let start = model.get(&partition).map(|model| model.position).unwrap_or_default();
                    let elsewhere = at(start.offset + 1);
                    let commit = commit_of(partition, if stale { elsewhere } else { start }, at(start.offset + 2), &writes);
                    prop_assert_eq!(store.commit(commit, Durability::Buffered).is_err(), stale);
                    if !stale {
                        model.entry(partition).or_default().apply(at(start.offset + 2), &writes);
                    }
                }
                Step::Flush => store.flush().unwrap(),
                Step::Reopen => {
                    drop(store);
                    store = open(directory.path()).unwrap();
                }
                Step::Export(partition) => {
                    let contents = store.export(partition, file(partition)).unwrap();
                    prop_assert_eq!(contents.is_some(), store.partitions().contains(&partition));
                    if contents.is_some() {
                        kept.insert(partition, model[&partition].clone());
                    }
                }
                Step::Import(partition) => {
                    if let Some(by) = kept.remove(&partition) {
                        store.import(PartitionFile::check(file(partition), partition).unwrap()).unwrap();
                        model.entry(partition).or_default().replace(by);
                    }
                }
                Step::Drop(partition) => {
                    store.drop_partition(partition).unwrap();
                    model.entry(partition).or_default().replace(Partition::default());
                }
            }
            let with_header = model.iter().filter(|(_, model)| model.position != Position::default());
            prop_assert_eq!(store.partitions(), with_header.map(|(partition, _)| *partition).collect::<Vec<_>>());
            for partition in 0..3 {
                let expected = model.get(&partition).cloned().unwrap_or_default();
                prop_assert_eq!(Partition::read(&store, partition), expected);
            }
        }
    }
}
