//! Taken, and restored elsewhere: the same bytes, and the right one of many.

use std::sync::Arc;

use bellwether_codec::state::FOLD_VERSION;
use bellwether_engine::time::Time;
use bellwether_live::snapshot::{PART_BYTES, Repository, SnapshotError, TakeOptions, Taken, Wanted};
use bellwether_store::Position;
use object_store::memory::InMemory;

use crate::{EVERYTHING, JOURNAL, NOW, PARTITION, Place, advance, at, contents, open, take, wanted};

#[test]
fn a_partition_of_many_parts_comes_back_byte_for_byte_from_any_object_store() {
    let place = Place::new();
    advance(&place.store, at(7), 30_000);
    let in_memory = Repository::new(Arc::new(InMemory::new()), "memory").unwrap();
    for (repository, name) in [(&place.repository, "one"), (&in_memory, "other")] {
        let Taken::New(manifest) = take(repository, &place.store, &place.scratch()) else { panic!("no new snapshot") };
        assert_eq!((manifest.position, manifest.entries), (at(7), 60_001));
        assert_eq!((manifest.journal_time, manifest.created_at), (Time(7), NOW));
        assert_eq!(manifest.attachment["rules"], "signals: []");
        assert!(manifest.bytes > 2 * PART_BYTES, "{}", manifest.bytes);
        assert_eq!(repository.journals().unwrap(), [JOURNAL]);
        let listing = repository.list(JOURNAL).unwrap();
        assert_eq!((listing.snapshots, listing.damaged), (vec![manifest.clone()], vec![]));

        let other = open(&place.path(name));
        let restored = repository.restore_best(&other, wanted(EVERYTHING), &place.scratch()).unwrap();
        assert_eq!((restored.used, restored.damaged), (Some(manifest.clone()), vec![]));
        assert!(contents(&other) == contents(&place.store), "all entries are the same");
        repository.verify(&manifest, &place.scratch()).unwrap();
        place.check_scratch();
    }
}

#[test]
fn a_position_has_one_snapshot_and_a_later_review_of_the_same_record_another() {
    let place = Place::new();
    let first = place.take_at(5);
    assert_eq!(take(&place.repository, &place.store, &place.scratch()), Taken::Present(first.clone()));
    let between = Position { offset: 5, review_due: 9, customer: 1 };
    advance(&place.store, between, 3);
    let Taken::New(second) = take(&place.repository, &place.store, &place.scratch()) else { panic!("no new snapshot") };
    let best = |at_most| place.repository.best(wanted(at_most)).unwrap();
    assert_eq!(best(EVERYTHING), Some(second.clone()));
    assert_eq!(best(between), Some(second));
    assert_eq!(best(Position { customer: 0, ..between }), Some(first.clone()));
    assert_eq!(best(at(5)), Some(first));
    assert_eq!(best(at(4)), None);
    let at_least = Position { review_due: 10, ..at(5) };
    assert_eq!(place.repository.best(Wanted { at_least, ..wanted(EVERYTHING) }).unwrap(), None);
}

#[test]
fn other_journals_partitions_and_fold_versions_are_not_restored() {
    let place = Place::new();
    let manifest = place.take_at(5);
    let before = contents(&place.store);
    for other in [
        Wanted { journal_id: "journal-2", ..wanted(EVERYTHING) },
        Wanted { partition: PARTITION + 1, ..wanted(EVERYTHING) },
        Wanted { fold_version: FOLD_VERSION + 1, ..wanted(EVERYTHING) },
        wanted(at(4)),
        Wanted { at_least: at(6), ..wanted(EVERYTHING) },
    ] {
        let restored = place.repository.restore_best(&place.store, other, &place.scratch()).unwrap();
        assert!(restored.used.is_none() && restored.damaged.is_empty(), "{other:?}");
    }
    let other = bellwether_live::snapshot::Manifest { fold_version: FOLD_VERSION + 1, ..manifest };
    let error = place.repository.restore(&place.store, &other, &place.scratch()).unwrap_err();
    assert!(matches!(error, SnapshotError::FoldVersion { .. }) && !error.is_retriable(), "{error}");
    assert!(contents(&place.store) == before);
}

#[test]
fn what_was_never_applied_or_cannot_be_used_is_not_taken() {
    let place = Place::new();
    assert_eq!(take(&place.repository, &place.store, &place.scratch()), Taken::Nothing);
    advance(&place.store, at(1), 1);
    let attachment = "x".repeat(bellwether_live::snapshot::MAX_MANIFEST_BYTES).into();
    let (scratch, taken) = (place.scratch(), |journal_id, attachment: &serde_json::Value| {
        let options = TakeOptions { journal_id, scratch: &place.scratch(), created_at: NOW, attachment: &|_| Ok(attachment.clone()) };
        place.repository.take(&place.store, PARTITION, &options)
    });
    assert!(matches!(taken(JOURNAL, &attachment), Err(SnapshotError::ManifestTooLong { .. })));
    assert!(matches!(taken("../elsewhere", &serde_json::Value::Null), Err(SnapshotError::JournalId { .. })));
    let mut commit = bellwether_store::Commit::new();
    commit.advance(PARTITION, at(1), at(2), b"no header of ours");
    place.store.commit(commit, bellwether_store::Durability::Buffered).unwrap();
    let error = taken(JOURNAL, &serde_json::Value::Null).unwrap_err();
    assert!(matches!(error, SnapshotError::State { partition: PARTITION, .. }), "{error}");
    assert!(place.repository.list(JOURNAL).unwrap().snapshots.is_empty());
    assert!(scratch.exists());
    place.check_scratch();
}

#[test]
fn a_place_is_a_directory_or_a_file_url() {
    let place = Place::new();
    let manifest = place.take_at(5);
    let url = format!("file://{}", place.path("snapshots").display());
    assert_eq!(Repository::open(&url).unwrap().best(wanted(EVERYTHING)).unwrap(), Some(manifest));
    for (wrong, told) in [("s3://bucket/snapshots", "`s3` is not supported"), ("file://host/x", "no directory"), ("nowhere", "nowhere")] {
        let error = Repository::open(wrong).unwrap_err();
        assert!(matches!(error, SnapshotError::Place { .. }) && error.to_string().contains(told), "{error}");
    }
}
