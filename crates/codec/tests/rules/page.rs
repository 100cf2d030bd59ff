//! The reference page of features is the one committed.

use bellwether_codec::rules::features_page;
use bellwether_engine::feature::Feature;

use crate::assert_golden;

#[test]
fn the_reference_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/reference/features.md");
    assert_golden(path, &features_page());
}

#[test]
fn every_feature_has_one_row() {
    let page = features_page();
    for row in &Feature::ALL {
        assert_eq!(page.matches(&format!("\n| `{}` |", row.name)).count(), 1, "{}", row.name);
    }
    assert!(page.lines().filter(|line| line.starts_with('|')).all(|line| line.ends_with('|')));
}
