//! Keys sort like what they stand for, come back from their bytes, and keep their numbers.

use super::*;
use proptest::prelude::*;

const KINDS: [Kind; 7] = [Kind::Header, Kind::State, Kind::Timer, Kind::JournalBlock, Kind::Input, Kind::Meta, Kind::Erasure];

/// Numbers like the ones in use: small, huge, and with a difference in any byte.
fn number() -> impl Strategy<Value = u128> {
    (any::<u128>(), 0_u32..128).prop_map(|(number, shift)| number >> shift)
}

proptest! {
    #[test]
    fn bytes_sort_as_partition_kind_and_customer(
        left in (0..=MAX_PARTITION, any::<bool>(), number()),
        right in (0..=MAX_PARTITION, any::<bool>(), number()),
    ) {
        let key = |(partition, timer, customer): (u16, bool, u128)| {
            if timer { super::timer(partition, customer) } else { state(partition, customer) }
        };
        prop_assert_eq!(key(left).cmp(&key(right)), left.cmp(&right));
        prop_assert_eq!(customer_of(&key(left)), Ok(left.2));
        prop_assert_eq!(partition_of(&key(left)), Ok(Some(left.0)));
    }

    #[test]
    fn bytes_sort_as_partition_and_offset(
        left in (0..=MAX_PARTITION, any::<u64>()),
        right in (0..=MAX_PARTITION, any::<u64>()),
    ) {
        let key = |(partition, offset)| journal_block(partition, offset);
        prop_assert_eq!(key(left).cmp(&key(right)), left.cmp(&right));
        prop_assert_eq!(first_offset_of(&key(left)), Ok(left.1));
    }

    #[test]
    fn bytes_sort_as_input_names(left in ".{0,8}", right in ".{0,8}") {
        prop_assert_eq!(input(&left).cmp(&input(&right)), left.cmp(&right));
        prop_assert_eq!(input_name_of(&input(&left)), Ok(left));
    }

    #[test]
    fn kinds_do_not_overlap(
        left in (any::<u16>(), 0..KINDS.len()), left_rest in any::<[u8; 4]>(),
        right in (any::<u16>(), 0..KINDS.len()), right_rest in any::<[u8; 4]>(),
    ) {
        let kind = |(partition, index): (u16, usize)| (partition, KINDS[index]);
        let key = |(partition, kind), rest: &[u8; 4]| [&prefix(partition, kind), &rest[..]].concat();
        let ((left, right), (left_rest, right_rest)) = ((kind(left), kind(right)), (left_rest, right_rest));
        prop_assert_eq!(
            key(left, &left_rest).cmp(&key(right, &right_rest)),
            (left, left_rest).cmp(&(right, right_rest))
        );
        prop_assert!(key(left, &left_rest).as_slice() < end(left.0, left.1).as_slice());
    }

    #[test]
    fn any_bytes_decode_to_a_value_or_an_error(key in proptest::collection::vec(any::<u8>(), 0..24)) {
        let _ = (partition_of(&key), customer_of(&key), first_offset_of(&key), input_name_of(&key), describe(&key));
    }
}

#[test]
fn kinds_keep_their_numbers() {
    let golden = include_str!("../../tests/golden/kinds.hex");
    let golden: Vec<_> = golden.lines().filter(|line| !line.starts_with('#')).collect();
    let kinds: Vec<_> = KINDS.iter().map(|kind| format!("{:02x} {kind:?}", *kind as u8)).collect();
    assert_eq!(kinds, golden, "kinds are on disk: add one with a new number, never change one");
}

#[test]
fn a_partition_starts_with_its_header_and_ends_before_the_next() {
    assert!(header(3) < *prefix(3, Kind::State).as_slice().first_chunk().unwrap());
    assert!(end(3, Kind::Erasure) < header(4));
    assert!(end(MAX_PARTITION, Kind::Erasure).as_slice() < input("").as_slice());
}

#[test]
fn what_a_fold_makes_lies_in_its_spans_and_the_journal_does_not() {
    let within = |key: &[u8]| fold_spans(3).iter().any(|(from, to)| key >= &from[..] && key < &to[..]);
    let erasure = [&prefix(3, Kind::Erasure), &b"any"[..]].concat();
    for (key, kind) in [
        (header(3).to_vec(), Kind::Header),
        (state(3, 0).to_vec(), Kind::State),
        (timer(3, u128::MAX).to_vec(), Kind::Timer),
        (erasure, Kind::Erasure),
    ] {
        assert!(within(&key) && fold_kind_of(&key, 3) == Ok(kind), "{kind:?}");
        assert!(fold_kind_of(&key, 4).is_err(), "{kind:?} of another partition");
    }
    for key in [&journal_block(3, 0)[..], &journal_block(3, u64::MAX), &header(2), &header(4), &input("name")] {
        assert!(!within(key) && fold_kind_of(key, 3).is_err(), "{}", describe(key));
    }
    for key in [&[][..], &[0, 3], &[0, 3, 0], &[0, 3, 1, 0], &[0, 3, 2, 1], &[0, 3, 9]] {
        assert!(fold_kind_of(key, 3).is_err(), "{}", describe(key));
    }
}

#[test]
#[should_panic(expected = "reserved for the process")]
fn the_partition_of_the_process_is_refused() {
    state(u16::MAX, 1);
}

#[test]
fn a_key_is_described_by_its_parts() {
    assert_eq!(describe(&journal_block(258, 9)), "0102|04|0000000000000009");
    assert_eq!(describe(&[7]), "07");
}
