//! Which snapshots are kept, and what becomes of leftovers.

use std::fs;
use std::num::NonZeroUsize;

use bellwether_engine::time::Time;
use bellwether_live::snapshot::{Manifest, Pruned};

use crate::{EVERYTHING, FAR_AHEAD, JOURNAL, NOW, Place, at, contents, open, wanted};

fn keep(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

fn offsets(place: &Place) -> Vec<u64> {
    place.repository.list(JOURNAL).unwrap().snapshots.iter().map(|manifest| manifest.position.offset).collect()
}

#[test]
fn the_newest_are_kept_and_each_of_them_can_be_restored() {
    let place = Place::new();
    let taken: Vec<_> = [5, 6, 70, 8_000, 9_000].map(|offset| (place.take_at(offset), contents(&place.store))).into();
    let pruned = place.repository.prune(JOURNAL, keep(3), NOW).unwrap();
    assert_eq!((pruned, offsets(&place)), (Pruned { snapshots: 2, strays: 0 }, vec![70, 8_000, 9_000]));
    let files = fs::read_dir(place.object(&taken[0].0, "sst").parent().unwrap()).unwrap().count();
    assert_eq!(files, 6, "tables go with their manifests");
    let other = open(&place.path("other"));
    for (manifest, expected) in &taken[2..] {
        place.repository.restore(&other, manifest, &place.scratch()).unwrap();
        assert!(contents(&other) == *expected);
        let restored = place.repository.restore_best(&other, wanted(manifest.position), &place.scratch()).unwrap();
        assert_eq!(restored.used.as_ref(), Some(manifest));
    }
    assert_eq!(place.repository.prune("another-journal", keep(1), FAR_AHEAD).unwrap(), Pruned::default());
    assert_eq!(place.repository.prune(JOURNAL, keep(3), FAR_AHEAD).unwrap(), Pruned::default());
}

#[test]
fn an_upload_without_a_manifest_does_not_exist_and_goes_when_it_is_old() {
    let place = Place::new();
    let [first, second] = [5, 6].map(|offset| place.take_at(offset));
    fs::remove_file(place.object(&second, "json")).unwrap();
    let unfinished = place.object(&second, "sst#1");
    fs::write(&unfinished, "half an upload").unwrap();
    let foreign = place.path("snapshots").join(JOURNAL).join("notes.json");
    fs::write(&foreign, "{}").unwrap();

    assert_eq!(offsets(&place), [5]);
    assert_eq!(place.repository.best(wanted(EVERYTHING)).unwrap(), Some(first));
    assert_eq!(place.repository.prune(JOURNAL, keep(1), Time(0)).unwrap(), Pruned::default(), "it may be on its way");
    assert!(place.object(&second, "sst").exists() && unfinished.exists());
    assert_eq!(place.repository.prune(JOURNAL, keep(1), FAR_AHEAD).unwrap(), Pruned { snapshots: 0, strays: 2 });
    assert!(!place.object(&second, "sst").exists() && !unfinished.exists() && foreign.exists());
    assert_eq!(offsets(&place), [5]);
}

#[test]
fn a_new_snapshot_removes_old_leftovers_but_nothing_damaged() {
    let place = Place::new();
    let [first, second, third] = [5, 6, 7].map(|offset| place.take_at(offset));
    fs::remove_file(place.object(&first, "json")).unwrap();
    fs::write(place.object(&second, "json"), "{").unwrap();
    let old = |manifest: &Manifest, ending| {
        let file = fs::File::options().write(true).open(place.object(manifest, ending)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    };
    [(&first, "sst"), (&second, "sst"), (&second, "json"), (&third, "sst")].iter().for_each(|(manifest, ending)| old(manifest, ending));
    place.take_at(8);
    assert!(!place.object(&first, "sst").exists(), "a leftover of an interrupted snapshot");
    assert!(place.object(&second, "sst").exists() && place.object(&third, "sst").exists());
    let listing = place.repository.list(JOURNAL).unwrap();
    assert_eq!((offsets(&place), listing.damaged.len()), (vec![7, 8], 1));
    assert_eq!(place.repository.prune(JOURNAL, keep(9), NOW).unwrap(), Pruned { snapshots: 0, strays: 2 });
}

#[test]
fn what_a_killed_try_left_in_the_scratch_directory_is_no_hindrance() {
    let place = Place::new();
    for name in ["take-00003.sst", "restore-00003.sst", "restore-00003.sst.clear", "restore-00003.sst.check/database/CURRENT"] {
        let path = place.scratch().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "left over").unwrap();
    }
    crate::advance(&place.store, at(5), 50);
    crate::take(&place.repository, &place.store, &place.scratch());
    let other = open(&place.path("other"));
    let restored = place.repository.restore_best(&other, wanted(EVERYTHING), &place.scratch()).unwrap();
    assert!(restored.used.is_some() && contents(&other) == contents(&place.store));
    place.check_scratch();
}
