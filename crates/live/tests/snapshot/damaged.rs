//! Damage is found and told, and the next best snapshot is taken.

use std::fs;

use bellwether_live::snapshot::{Manifest, SnapshotError};

use crate::{EVERYTHING, Place, at, contents, open, wanted};

type Damage = fn(&Place, &Manifest);

/// Ways to damage a snapshot, and what is told of it.
const DAMAGE: [(&str, Damage); 7] = [
    ("has the checksum", |place, manifest| flip(place, manifest, 2)),
    ("has the checksum", |place, manifest| flip(place, manifest, 50)),
    ("bytes, not", |place, manifest| {
        let bytes = fs::read(place.object(manifest, "sst")).unwrap();
        fs::write(place.object(manifest, "sst"), &bytes[1..]).unwrap();
    }),
    ("its table is missing", |place, manifest| fs::remove_file(place.object(manifest, "sst")).unwrap()),
    ("its manifest cannot be read", |place, manifest| fs::write(place.object(manifest, "json"), "{").unwrap()),
    ("its manifest is that of", |place, manifest| change(place, manifest, "\"partition\": 3", "\"partition\": 4")),
    ("its manifest says 7 at", |place, manifest| change(place, manifest, "\"entries\": 101", "\"entries\": 7")),
];

fn flip(place: &Place, manifest: &Manifest, part: usize) {
    let mut bytes = fs::read(place.object(manifest, "sst")).unwrap();
    let length = bytes.len();
    bytes[length / part] ^= 1;
    fs::write(place.object(manifest, "sst"), bytes).unwrap();
}

fn change(place: &Place, manifest: &Manifest, from: &str, to: &str) {
    let text = fs::read_to_string(place.object(manifest, "json")).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(place.object(manifest, "json"), text.replace(from, to)).unwrap();
}

#[test]
fn a_damaged_snapshot_is_told_and_the_next_best_one_restored() {
    for (told, damage) in DAMAGE {
        let place = Place::new();
        let first = place.take_at(5);
        let before = contents(&place.store);
        let [second, third] = [6, 7].map(|offset| place.take_at(offset));
        damage(&place, &third);
        damage(&place, &second);
        let other = open(&place.path("other"));
        let restored = place.repository.restore_best(&other, wanted(EVERYTHING), &place.scratch()).unwrap();
        assert_eq!(restored.used, Some(first), "{told}");
        assert_eq!(restored.damaged.len(), 2, "{told}: {:?}", restored.damaged);
        assert!(restored.damaged.iter().all(|damaged| damaged.to_string().contains(told)), "{told}: {:?}", restored.damaged);
        assert!(contents(&other) == before);
        place.check_scratch();
    }
}

#[test]
fn where_all_are_damaged_the_partition_stays_as_it_was() {
    for (told, damage) in DAMAGE {
        let place = Place::new();
        let manifest = place.take_at(5);
        crate::advance(&place.store, at(9), 90);
        let before = contents(&place.store);
        damage(&place, &manifest);
        let restored = place.repository.restore_best(&place.store, wanted(EVERYTHING), &place.scratch()).unwrap();
        assert!(restored.used.is_none() && restored.damaged.len() == 1, "{told}");
        assert!(contents(&place.store) == before, "{told}");
        place.check_scratch();
    }
}

#[test]
fn verifying_finds_what_listing_does_not() {
    let place = Place::new();
    let manifest = place.take_at(5);
    place.repository.verify(&manifest, &place.scratch()).unwrap();
    flip(&place, &manifest, 3);
    assert!(place.repository.list(&manifest.journal_id).unwrap().snapshots.contains(&manifest));
    let error = place.repository.verify(&manifest, &place.scratch()).unwrap_err();
    assert!(matches!(&error, SnapshotError::Damaged(_)) && !error.is_retriable(), "{error}");
    assert!(error.to_string().contains(&manifest.name()), "{error}");
    place.check_scratch();
}

#[test]
fn a_table_that_is_none_is_damaged_though_its_checksum_is_right() {
    let place = Place::new();
    let manifest = place.take_at(5);
    let mut bytes = fs::read(place.object(&manifest, "sst")).unwrap();
    bytes.truncate(1_000);
    let checksum = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes));
    let forged = Manifest { bytes: 1_000, checksum, ..manifest };
    fs::write(place.object(&forged, "sst"), &bytes).unwrap();
    fs::write(place.object(&forged, "json"), serde_json::to_vec(&forged).unwrap()).unwrap();
    let error = place.repository.restore(&place.store, &forged, &place.scratch()).unwrap_err();
    assert!(matches!(&error, SnapshotError::Damaged(_)) && error.to_string().contains("its table is bad"), "{error}");
    place.check_scratch();
}
