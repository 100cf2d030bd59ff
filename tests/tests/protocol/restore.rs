//! Partitions on machines that have nothing of them: from snapshots to the same bytes as by a replay of everything.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use bellwether_engine::time::{DAY_MS, Time};
use bellwether_kafka::memory::{Fault, Plan};
use bellwether_live::error::LiveError;
use bellwether_live::kafka::Processor;
use bellwether_live::snapshot::{Manifest, Repository};
use bellwether_tests::company::{START, company};
use bellwether_tests::machine::{Everything, Machine};
use bellwether_tests::world::{JOURNAL_ID, PARTITIONS, World, rule_sets};
use tempfile::TempDir;

const DAYS: u64 = 70;

/// A restore runs in a thread of its own, so turns alone do not bring its end.
const MAX_TURNS: usize = 20_000;

/// A journal that is written beforehand, and what one machine has made of it: its snapshots, and everything in its store.
struct Processed {
    world: World,
    first: Machine,
    snapshots: TempDir,
}

fn world(seed: u64) -> World {
    let world = World::new(seed, &rule_sets());
    let end = Time(START.0 + (DAYS as i64 + 40) * DAY_MS);
    world.cluster.set_now_ms(end.0);
    world.journal(&company(seed, 5, DAYS), end);
    world
}

fn processed(seed: u64) -> Processed {
    let world = world(seed);
    let snapshots = TempDir::new().expect("a directory");
    let mut first = Machine::new(Some(snapshots.path()));
    let mut worker = first.processor(&world, "first");
    for turn in 0..MAX_TURNS {
        let read = worker.turn().expect("nothing goes wrong");
        first.copy(turn as i64 * 10);
        if read == 0 && world.is_processed() {
            break;
        }
    }
    Processed { world, first, snapshots }
}

/// Turns until all that is committed is in the store.
fn catch_up(world: &World, machine: &Machine, worker: &mut Processor, context: &str) {
    for _ in 0..MAX_TURNS {
        if worker.turn().expect("nothing goes wrong") == 0 {
            if is_caught_up(world, machine, &(0..PARTITIONS).collect::<Vec<_>>()) {
                return;
            }
            sleep(Duration::from_millis(1));
        }
    }
    panic!("{context}: it does not catch up: {:?}", machine.everything().0);
}

fn is_caught_up(world: &World, machine: &Machine, partitions: &[u16]) -> bool {
    let ends = |number: &u16| world.records(&bellwether_tests::world::journal_partition(*number)).last().map_or(0, |last| last.offset + 1);
    let stands = |number: &u16| machine.store.header(*number).expect("the store reads").map_or(0, |header| header.position.offset);
    world.is_processed() && partitions.iter().all(|number| stands(number) >= ends(number))
}

fn listed(snapshots: &Path) -> Vec<Manifest> {
    let listing = Repository::open(snapshots.to_str().expect("it is text")).and_then(|repository| repository.list(JOURNAL_ID));
    let listing = listing.expect("the snapshots can be listed");
    assert!(listing.damaged.is_empty());
    listing.snapshots
}

fn object(snapshots: &Path, manifest: &Manifest, ending: &str) -> PathBuf {
    snapshots.join(format!("{}.{ending}", manifest.name()))
}

/// The newest snapshot of each partition.
fn newest(snapshots: &Path) -> Vec<Manifest> {
    let all = listed(snapshots);
    (0..PARTITIONS).filter_map(|number| all.iter().rfind(|manifest| manifest.partition == number).cloned()).collect()
}

/// What becomes of an empty machine: it restores so many partitions, ends with the same bytes and publishes nothing again.
#[track_caller]
fn assert_moves_to_an_empty_machine(processed: &Processed, restores: usize, context: &str) {
    // What is committed is not yet seen everywhere: the last marks may be on their way.
    processed.world.cluster.settle();
    let published = processed.world.published();
    let machine = Machine::new(Some(processed.snapshots.path()));
    let mut worker = machine.processor(&processed.world, "moved");
    catch_up(&processed.world, &machine, &mut worker, context);
    assert!(machine.everything() == processed.first.everything(), "{context}: the stores differ");
    assert!(processed.world.published() == published, "{context}: something was published again");
    // A snapshot of the very end is in the store before its thread tells so.
    for _ in 0..MAX_TURNS {
        if machine.events("restored") >= restores as u64 {
            break;
        }
        sleep(Duration::from_millis(1));
    }
    assert_eq!((machine.events("restored"), machine.events("restore_failed")), (restores as u64, 0), "{context}");
}

#[test]
fn every_kept_snapshot_leads_to_the_bytes_of_the_replay() {
    let mut restores = 0;
    for seed in 0..4 {
        let processed = processed(seed);
        assert_eq!(processed.world.replayed().1, processed.first.everything().1, "seed {seed}");
        let kept = listed(processed.snapshots.path()).len();
        assert!(kept > 3 * usize::from(PARTITIONS), "seed {seed}: {kept} snapshots");
        // The newest ones first; then those are taken away, and so on until there are none.
        loop {
            let newest = newest(processed.snapshots.path());
            let context = format!("seed {seed}, {} snapshots", listed(processed.snapshots.path()).len());
            assert_moves_to_an_empty_machine(&processed, newest.len(), &context);
            restores += newest.len();
            if newest.is_empty() {
                break;
            }
            for manifest in newest {
                ["sst", "json"].iter().for_each(|ending| fs::remove_file(object(processed.snapshots.path(), &manifest, ending)).unwrap());
            }
        }
    }
    assert!(restores > 50, "{restores} restores");
}

/// The beginning of the journal is gone, so that only a snapshot helps, and there is no place to unpack one for now.
#[test]
fn a_restore_that_cannot_be_had_for_now_is_waited_for() {
    let processed = processed(10);
    processed.world.cluster.settle();
    for manifest in newest(processed.snapshots.path()) {
        let at = bellwether_tests::world::journal_partition(manifest.partition);
        processed.world.cluster.delete_records(&at, manifest.position.offset / 2).expect("the topic is there");
    }
    let machine = Machine::new(Some(processed.snapshots.path()));
    let scratch = machine.disk().join("scratch");
    fs::write(&scratch, "no directory").unwrap();
    let mut worker = machine.processor(&processed.world, "moved");
    // More than there are partitions: some have been tried again.
    while machine.events("restore_failed") <= u64::from(PARTITIONS) {
        worker.turn().expect("it waits");
        sleep(Duration::from_millis(1));
    }
    fs::remove_file(&scratch).unwrap();
    catch_up(&processed.world, &machine, &mut worker, "there is room again");
    let (moved, first) = (machine.everything(), processed.first.everything());
    let positions = |everything: &Everything| everything.0.iter().map(|header| header.as_ref().map(|header| header.0)).collect::<Vec<_>>();
    assert_eq!(positions(&moved), positions(&first));
    assert!(moved.0 == first.0, "the headers differ");
    assert!(moved.1 == first.1, "the states differ");
    assert!(moved.2 == first.2, "the timers differ");
}

#[test]
fn damaged_snapshots_are_passed_over() {
    let processed = processed(11);
    let snapshots = processed.snapshots.path();
    let flip = |manifest: &Manifest| {
        let mut bytes = fs::read(object(snapshots, manifest, "sst")).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(object(snapshots, manifest, "sst"), bytes).unwrap();
    };
    newest(snapshots).iter().for_each(flip);
    assert_moves_to_an_empty_machine(&processed, usize::from(PARTITIONS), "the newest are damaged");
    // Those that were flipped are whole again now, and without the texts of their rules.
    newest(snapshots).iter().for_each(flip);
    for manifest in listed(snapshots) {
        let text = fs::read_to_string(object(snapshots, &manifest, "json")).unwrap();
        fs::write(object(snapshots, &manifest, "json"), text.replace("\"rule_sets\"", "\"rules\"")).unwrap();
    }
    assert_moves_to_an_empty_machine(&processed, 0, "none is of use");
}

#[test]
fn snapshots_of_another_journal_or_fold_are_left_alone() {
    let processed = processed(12);
    let snapshots = processed.snapshots.path();
    let all = listed(snapshots);
    for (index, manifest) in all.iter().enumerate() {
        let changed = match index % 2 {
            0 => Manifest { journal_id: "another".to_owned(), ..manifest.clone() },
            _ => Manifest { fold_version: manifest.fold_version + 1, ..manifest.clone() },
        };
        fs::create_dir_all(object(snapshots, &changed, "sst").parent().unwrap()).unwrap();
        fs::rename(object(snapshots, manifest, "sst"), object(snapshots, &changed, "sst")).unwrap();
        let text = fs::read_to_string(object(snapshots, manifest, "json")).unwrap();
        let [of, version] = [manifest, &changed].map(|manifest| format!("\"fold_version\": {}", manifest.fold_version));
        let text = text.replace(&format!("\"{JOURNAL_ID}\""), &format!("\"{}\"", changed.journal_id)).replace(&of, &version);
        fs::remove_file(object(snapshots, manifest, "json")).unwrap();
        fs::write(object(snapshots, &changed, "json"), text).unwrap();
    }
    assert!(all.len() > 6);
    let repository = Repository::open(snapshots.to_str().unwrap()).unwrap();
    let [own, others] = [JOURNAL_ID, "another"].map(|journal| repository.list(journal).unwrap().snapshots.len());
    assert_eq!(own + others, all.len(), "they are whole");
    assert_moves_to_an_empty_machine(&processed, 0, "all belong to others");
}

#[test]
fn a_snapshot_ahead_of_what_is_committed_is_never_taken() {
    let processed = processed(13);
    let furthest = newest(processed.snapshots.path());
    // The same journal, and less of it processed: as if the group's offsets had been set back.
    let again = world(13);
    let behind = Machine::new(None);
    let mut worker = behind.processor(&again, "behind");
    (0..6).for_each(|_| _ = worker.turn().expect("nothing goes wrong"));
    drop(worker);
    let committed = behind.everything().0;
    let committed: Vec<_> = committed.iter().map(|header| header.as_ref().map(|(position, _)| *position).unwrap_or_default()).collect();
    assert!(furthest.iter().all(|manifest| manifest.position > committed[usize::from(manifest.partition)]), "{committed:?}");
    let usable =
        listed(processed.snapshots.path()).into_iter().filter(|manifest| manifest.position <= committed[usize::from(manifest.partition)]);
    let mut usable: Vec<u16> = usable.map(|manifest| manifest.partition).collect();
    usable.dedup();
    let machine = Machine::new(Some(processed.snapshots.path()));
    let mut worker = machine.processor(&again, "moved");
    catch_up(&again, &machine, &mut worker, "behind the snapshots");
    assert_eq!(machine.events("restored"), usable.len() as u64, "{usable:?}");
    assert!(machine.everything() == processed.first.everything());
    assert!(again.published() == again.replayed().0);
}

#[test]
fn the_other_partitions_go_on_while_one_is_restored() {
    let processed = processed(14);
    let world = &processed.world;
    let machine = Machine::new(Some(processed.snapshots.path()));
    let replacing = machine.safekeeping.replace(1).expect("nobody is at it");
    let mut worker = machine.processor(world, "moved");
    for _ in 0..MAX_TURNS {
        worker.turn().expect("nothing goes wrong");
        if is_caught_up(world, &machine, &[0, 2]) {
            break;
        }
        sleep(Duration::from_millis(1));
    }
    assert!(is_caught_up(world, &machine, &[0, 2]) && machine.store.header(1).unwrap().is_none());
    drop(replacing);
    catch_up(world, &machine, &mut worker, "the restore has ended");
    assert!(machine.everything() == processed.first.everything());
    assert_eq!(machine.events("restored"), 3);
}

/// What a partition folds in silence was published long ago, and what the others fold meanwhile was not.
#[test]
fn latency_is_measured_while_another_partition_catches_up() {
    let (world, machine) = (world(15), Machine::new(None));
    catch_up(&world, &machine, &mut machine.processor(&world, "first"), "the first time");
    let records = |number: u16| world.records(&bellwether_tests::world::journal_partition(number)).len() as u64;
    let before: Vec<u64> = (0..PARTITIONS).map(records).collect();
    let end = Time(START.0 + (DAYS as i64 + 60) * DAY_MS);
    world.cluster.set_now_ms(end.0);
    world.journal(&company(16, 5, 10), end);
    machine.store.drop_partition(1).expect("it can be dropped");

    let measured = machine.count("bellwether_process_seconds_count");
    let mut worker = machine.processor(&world, "behind");
    catch_up(&world, &machine, &mut worker, "one is behind");
    let measured = machine.count("bellwether_process_seconds_count") - measured;
    let news: Vec<u64> = (0..PARTITIONS).map(|number| records(number) - before[usize::from(number)]).collect();
    assert!(before[1] > news.iter().sum(), "it is behind for longer than the others have something new");
    assert!(news[0] > 0 && (news[0] + news[2]..=news.iter().sum()).contains(&measured), "{measured} of {news:?}");
}

#[test]
fn a_partition_that_goes_while_it_is_restored_is_its_new_owners() {
    let mut gone = 0;
    for seed in 20..26 {
        let processed = processed(seed);
        let world = &processed.world;
        let machine = Machine::new(Some(processed.snapshots.path()));
        let held: Vec<_> = (0..PARTITIONS).map(|number| machine.safekeeping.replace(number).expect("nobody is at it")).collect();
        let mut worker = machine.processor(world, "moved");
        (0..5).for_each(|_| _ = worker.turn().expect("nothing goes wrong"));
        // Another machine comes, and takes partitions that are being restored here.
        let other = Machine::new(Some(processed.snapshots.path()));
        let mut others = other.processor(world, "other");
        for turn in 0..MAX_TURNS {
            worker.turn().expect("nothing goes wrong");
            others.turn().expect("nothing goes wrong");
            let taken: Vec<u16> = (0..PARTITIONS).filter(|number| is_caught_up(world, &other, &[*number])).collect();
            if !taken.is_empty() && turn > 50 {
                gone += taken.len();
                break;
            }
            sleep(Duration::from_millis(1));
        }
        drop(held);
        drop(others);
        catch_up(world, &machine, &mut worker, "all have come back");
        assert!(machine.everything() == processed.first.everything(), "seed {seed}");
        assert!(world.published() == world.replayed().0, "seed {seed}");
    }
    assert!(gone >= 6, "{gone} partitions went");
}

#[test]
fn faults_at_random_while_partitions_move_change_nothing() {
    let (mut fired, mut restored) = (0, 0);
    for seed in 60..80 {
        let world = world(seed);
        let snapshots = TempDir::new().expect("a directory");
        let mut first = Machine::new(Some(snapshots.path()));
        let mut worker = first.processor(&world, "first");
        for turn in 0..5 {
            worker.turn().expect("nothing goes wrong");
            first.copy(turn * 10);
        }
        drop(worker);
        world.cluster.set_plan(Plan::seeded(seed, 12, &[Fault::Crash, Fault::LoseRequest, Fault::LoseResponse]));
        let machine = Machine::new(Some(snapshots.path()));
        let mut worker = None;
        for turn in 0.. {
            assert!(turn < MAX_TURNS, "seed {seed}: it does not come to an end");
            let Some(alive) = &mut worker else {
                worker = machine.try_processor(&world, "moved").ok();
                continue;
            };
            match alive.turn() {
                Ok(0) if is_caught_up(&world, &machine, &[0, 1, 2]) => break,
                Ok(0) => sleep(Duration::from_millis(1)),
                Ok(_) => {}
                Err(LiveError::Kafka(error)) if error.cause.contains("crashed by the plan") => {
                    worker = None;
                    world.cluster.expire("moved");
                }
                Err(error) => panic!("seed {seed}: {error}"),
            }
            world.cluster.tick();
        }
        // What is decided is not yet seen everywhere: the last marks may be on their way.
        world.cluster.settle();
        let (lines, states, _) = world.replayed();
        assert_eq!(world.published(), lines, "seed {seed}");
        assert!(machine.everything().1 == states, "seed {seed}: states");
        fired += world.cluster.fired().len();
        restored += machine.events("restored");
    }
    assert!(fired > 40 && restored >= 40, "{fired} faults, {restored} restores");
}
