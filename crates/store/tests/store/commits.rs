//! Commits: all or nothing, only from where the partition stands, and still there afterwards.

use bellwether_store::{Commit, Durability, MAX_PARTITION, PartitionHeader, Position, Store, StoreError};

use crate::{at, new_store, open, state};

/// A commit with an entry of every kind.
fn full_commit(partition: u16, start: Position, end: Position) -> Commit {
    let mut commit = Commit::new();
    commit.advance(partition, start, end, b"body");
    commit.put_state(partition, 1, b"state");
    commit.put_timer(partition, 1, -5);
    commit.append_journal_block(partition, start.offset, b"block");
    commit.put_input("logins.jsonl", b"line 7");
    commit
}

/// Everything a store holds, as text, for comparison.
fn contents(store: &Store, partition: u16) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        store.partitions(),
        store.header(partition).unwrap(),
        store.all_states(partition, 0).map(Result::unwrap).collect::<Vec<_>>(),
        store.timers(partition).map(Result::unwrap).collect::<Vec<_>>(),
        store.journal_blocks(partition, 0).map(Result::unwrap).collect::<Vec<_>>(),
        store.inputs().map(Result::unwrap).collect::<Vec<_>>(),
    )
}

#[test]
fn a_new_store_is_empty() {
    let (_directory, store) = new_store();
    assert_eq!(contents(&store, 0), "[] None [] [] [] []");
    assert_eq!(state(&store, 0, 1), None);
    assert_eq!(store.input("logins.jsonl").unwrap(), None);
}

#[test]
fn a_commit_is_read_back_whole() {
    let (_directory, store) = new_store();
    store.commit(full_commit(3, at(0), at(7)), Durability::Buffered).unwrap();
    assert_eq!(store.partitions(), [3]);
    assert_eq!(store.header(3).unwrap(), Some(PartitionHeader { position: at(7), body: b"body".to_vec() }));
    assert_eq!(state(&store, 3, 1).as_deref(), Some(&b"state"[..]));
    assert_eq!(store.timers(3).map(Result::unwrap).collect::<Vec<_>>(), [(-5, 1)]);
    assert_eq!(store.input("logins.jsonl").unwrap().as_deref(), Some(&b"line 7"[..]));
    assert_eq!(store.header(4).unwrap(), None);
    assert_eq!(state(&store, 4, 1), None);
}

#[test]
fn a_store_is_the_same_after_it_was_closed() {
    for flushed in [false, true] {
        let (directory, store) = new_store();
        store.commit(full_commit(3, at(0), at(7)), Durability::Buffered).unwrap();
        store.commit(full_commit(MAX_PARTITION, at(0), at(9)), Durability::Synced).unwrap();
        if flushed {
            store.flush().unwrap();
        }
        let before = [contents(&store, 3), contents(&store, MAX_PARTITION)];
        drop(store);
        let store = open(directory.path()).unwrap();
        assert_eq!([contents(&store, 3), contents(&store, MAX_PARTITION)], before);
        assert_eq!(store.partitions(), [3, MAX_PARTITION]);
        store.commit(full_commit(3, at(7), at(8)), Durability::Buffered).unwrap();
    }
}

#[test]
fn a_stale_commit_writes_nothing() {
    let (directory, store) = new_store();
    store.commit(full_commit(3, at(0), at(7)), Durability::Buffered).unwrap();
    let before = contents(&store, 3);
    for start in [at(0), at(6), at(8), Position { customer: 1, ..at(7) }] {
        let mut commit = full_commit(3, start, at(20));
        commit.put_state(3, 2, b"must not appear");
        let error = store.commit(commit, Durability::Buffered).unwrap_err();
        let StoreError::Stale { partition: 3, expected, found } = error else { panic!("{error}") };
        assert_eq!((expected, found), (start, at(7)));
        assert!(!error.is_retriable());
        assert!(error.to_string().contains("partition 3"), "{error}");
    }
    assert_eq!(contents(&store, 3), before);
    drop(store);
    assert_eq!(contents(&open(directory.path()).unwrap(), 3), before);
}

#[test]
fn one_stale_partition_refuses_the_commit_of_all() {
    let (_directory, store) = new_store();
    let mut commit = full_commit(1, at(0), at(5));
    commit.advance(2, at(4), at(5), b"");
    let error = store.commit(commit, Durability::Buffered).unwrap_err();
    assert!(matches!(error, StoreError::Stale { partition: 2, .. }), "{error}");
    assert_eq!(contents(&store, 1), "[] None [] [] [] []");
    store.commit(full_commit(1, at(0), at(5)), Durability::Buffered).unwrap();
}

#[test]
fn a_commit_that_leads_back_writes_nothing() {
    let (_directory, store) = new_store();
    store.commit(full_commit(3, at(0), at(7)), Durability::Buffered).unwrap();
    let before = contents(&store, 3);
    let error = store.commit(full_commit(3, at(7), at(6)), Durability::Buffered).unwrap_err();
    assert!(matches!(error, StoreError::Backwards { partition: 3, .. }), "{error}");
    assert_eq!(contents(&store, 3), before);
}

#[test]
fn a_partition_advances_between_reviews_of_one_record_and_by_several_steps_in_a_commit() {
    let (_directory, store) = new_store();
    let between = Position { offset: 4, review_due: 1_000, customer: 9 };
    let mut commit = Commit::new();
    commit.advance(0, at(0), at(4), b"first");
    commit.advance(0, at(4), between, b"second");
    store.commit(commit, Durability::Buffered).unwrap();
    assert_eq!(store.header(0).unwrap(), Some(PartitionHeader { position: between, body: b"second".to_vec() }));
    // Standing still is no step back: this is how a header's body alone is rewritten.
    store.commit(full_commit(0, between, between), Durability::Buffered).unwrap();
}

#[test]
fn the_last_write_to_an_entry_counts_and_deletes_delete() {
    let (_directory, store) = new_store();
    let mut commit = Commit::new();
    commit.put_state(0, 1, b"old");
    commit.put_state(0, 1, b"new");
    commit.put_state(0, 2, b"gone");
    commit.delete_state(0, 2);
    commit.put_timer(0, 1, 10);
    commit.put_timer(0, 1, 5);
    commit.put_timer(0, 2, 5);
    commit.delete_timer(0, 2);
    commit.delete_state(0, 3);
    assert_eq!(commit.len(), 9);
    store.commit(commit, Durability::Buffered).unwrap();
    assert_eq!(store.all_states(0, 0).map(Result::unwrap).collect::<Vec<_>>(), [(1, b"new".to_vec())]);
    assert_eq!(store.timers(0).map(Result::unwrap).collect::<Vec<_>>(), [(5, 1)]);
}

#[test]
fn racing_commits_advance_a_partition_exactly_once() {
    let (_directory, store) = new_store();
    let store = &store;
    let won = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let commit = || full_commit(0, at(0), at(1));
                scope.spawn(move || store.commit(commit(), Durability::Buffered).is_ok())
            })
            .collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum::<usize>()
    });
    assert_eq!(won, 1);
}

#[test]
fn memory_in_use_counts_buffered_writes() {
    let (_directory, store) = new_store();
    let before = store.memory_usage().unwrap();
    let mut commit = Commit::new();
    let state = vec![7; 1 << 10];
    (0..4 << 10).for_each(|customer| commit.put_state(0, customer, &state));
    assert!(commit.size_bytes() > 4 << 20);
    store.commit(commit, Durability::Buffered).unwrap();
    let metrics = store.metrics().unwrap();
    assert!(metrics.write_buffers_bytes >= 4 << 20, "{metrics:?}");
    assert!(metrics.block_cache_bytes >= 4 << 20, "the buffers are charged to the cache: {metrics:?}");
    assert!(metrics.estimated_keys > 4_000 && !metrics.writes_stopped, "{metrics:?}");
    assert!(store.memory_usage().unwrap() >= before + (4 << 20));
    store.flush().unwrap();
    let metrics = store.metrics().unwrap();
    assert!(metrics.files_bytes > 0 && metrics.level_zero_files == 1, "{metrics:?}");
}
