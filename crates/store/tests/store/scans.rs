//! Scans: the right entries of the right partition, in order.

use bellwether_store::{Commit, Durability, MAX_PARTITION, Store};

use crate::{new_store, state};

/// Journal blocks that start at 10, 20 and 30 in partition 5, with neighbours that must not be seen.
fn store_with_blocks() -> (tempfile::TempDir, Store) {
    let (directory, store) = new_store();
    let mut commit = Commit::new();
    for first_offset in [10, 20, 30] {
        commit.append_journal_block(5, first_offset, format!("block {first_offset}").as_bytes());
    }
    commit.append_journal_block(4, 15, b"before");
    commit.append_journal_block(6, 0, b"after");
    commit.put_timer(5, u128::MAX, 0);
    commit.put_input("", b"");
    store.commit(commit, Durability::Buffered).unwrap();
    (directory, store)
}

fn first_offsets(store: &Store, partition: u16, from_offset: u64) -> Vec<u64> {
    let blocks = store.journal_blocks(partition, from_offset).map(Result::unwrap);
    blocks.map(|(first_offset, _)| first_offset).collect()
}

#[test]
fn journal_blocks_start_with_the_one_that_contains_the_offset() {
    let (_directory, store) = store_with_blocks();
    for flushed in [false, true] {
        if flushed {
            store.flush().unwrap();
        }
        for (from_offset, expected) in [
            (0, &[10, 20, 30][..]),
            (9, &[10, 20, 30]),
            (10, &[10, 20, 30]),
            (19, &[10, 20, 30]),
            (20, &[20, 30]),
            (29, &[20, 30]),
            (30, &[30]),
            (u64::MAX, &[30]),
        ] {
            assert_eq!(first_offsets(&store, 5, from_offset), expected, "from {from_offset}");
        }
    }
    assert_eq!(first_offsets(&store, 4, 0), [15]);
    assert_eq!(first_offsets(&store, 6, 99), [0]);
    assert_eq!(first_offsets(&store, 7, 99), []);
    assert_eq!(first_offsets(&store, MAX_PARTITION, u64::MAX), []);
    let last = store.journal_blocks(5, 35).next().unwrap().unwrap();
    assert_eq!(last, (30, b"block 30".to_vec()));
}

#[test]
fn states_come_in_the_order_asked() {
    let (_directory, store) = new_store();
    let mut commit = Commit::new();
    for customer in [1, 2, 3, u128::MAX] {
        commit.put_state(0, customer, customer.to_string().as_bytes());
    }
    commit.put_state(1, 4, b"another partition's");
    store.commit(commit, Durability::Buffered).unwrap();
    store.flush().unwrap();
    let mut commit = Commit::new();
    commit.put_state(0, 2, b"newer");
    commit.put_state(0, 7, b"");
    store.commit(commit, Durability::Buffered).unwrap();

    let read = |customers: &[u128]| -> Vec<Option<String>> {
        let states = store.states(0, customers).unwrap();
        states.iter().map(|state| state.as_ref().map(|state| String::from_utf8(state.to_vec()).unwrap())).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read(&[]), []);
    assert_eq!(read(&[3, 1, 2]), [some("3"), some("1"), some("newer")]);
    assert_eq!(read(&[1, 4, 7, u128::MAX]), [some("1"), None, some(""), Some(u128::MAX.to_string())]);
    assert_eq!(read(&[2, 1, 2, 5, 5]), [some("newer"), some("1"), some("newer"), None, None]);
    assert_eq!(read(&[1, 1, 3]), [some("1"), some("1"), some("3")]);
}

#[test]
fn many_states_are_read_in_one_go() {
    let (_directory, store) = new_store();
    let mut commit = Commit::new();
    (0..5_000).for_each(|customer| commit.put_state(0, 2 * customer, &customer.to_be_bytes()));
    store.commit(commit, Durability::Buffered).unwrap();
    store.flush().unwrap();
    let customers: Vec<u128> = (0..10_000).rev().collect();
    for (customer, state) in customers.iter().zip(store.states(0, &customers).unwrap()) {
        let expected = (customer % 2 == 0).then(|| (customer / 2).to_be_bytes().to_vec());
        assert_eq!(state.map(|state| state.to_vec()), expected);
    }
}

#[test]
fn scans_stay_within_kind_and_partition() {
    let (_directory, store) = new_store();
    let mut commit = Commit::new();
    for partition in [0, 1, 255, 256, MAX_PARTITION] {
        for customer in [0, 1, u128::MAX] {
            commit.put_state(partition, customer, &partition.to_be_bytes());
            commit.put_timer(partition, customer, i64::from(partition));
        }
    }
    commit.put_input("b", b"2");
    commit.put_input("a", b"1");
    store.commit(commit, Durability::Buffered).unwrap();
    for partition in [0, 1, 255, 256, MAX_PARTITION] {
        let value = partition.to_be_bytes().to_vec();
        let states: Vec<_> = store.all_states(partition, 1).map(Result::unwrap).collect();
        assert_eq!(states, [(1, value.clone()), (u128::MAX, value)]);
        let due = i64::from(partition);
        let timers: Vec<_> = store.timers(partition).map(Result::unwrap).collect();
        assert_eq!(timers, [(due, 0), (due, 1), (due, u128::MAX)]);
    }
    assert_eq!(store.timers(2).count() + store.all_states(2, 0).count(), 0);
    let inputs: Vec<_> = store.inputs().map(Result::unwrap).collect();
    assert_eq!(inputs, [("a".into(), b"1".to_vec()), ("b".into(), b"2".to_vec())]);
}

#[test]
fn a_scan_sees_the_store_as_it_was_when_the_scan_began() {
    let (_directory, store) = new_store();
    let mut commit = Commit::new();
    commit.put_state(0, 1, b"old");
    store.commit(commit, Durability::Buffered).unwrap();
    let scan = store.all_states(0, 0);
    let mut commit = Commit::new();
    commit.put_state(0, 1, b"new");
    commit.put_state(0, 2, b"new");
    store.commit(commit, Durability::Buffered).unwrap();
    assert_eq!(scan.map(Result::unwrap).collect::<Vec<_>>(), [(1, b"old".to_vec())]);
    assert_eq!(state(&store, 0, 1).as_deref(), Some(&b"new"[..]));
}

#[test]
fn compressed_blocks_come_back_as_they_were() {
    let (_directory, store) = new_store();
    let records = b"{\"type\":\"login\"}\n".repeat(2_000);
    let block = zstd::encode_all(&records[..], 0).unwrap();
    let mut commit = Commit::new();
    commit.append_journal_block(0, 0, &block);
    store.commit(commit, Durability::Buffered).unwrap();
    store.flush().unwrap();
    let (_, stored) = store.journal_blocks(0, 1_999).next().unwrap().unwrap();
    assert_eq!(stored, block);
    assert_eq!(zstd::decode_all(&stored[..]).unwrap(), records);
}
