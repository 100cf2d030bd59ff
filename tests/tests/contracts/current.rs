//! The documents under `deploy/contracts` are those that the binary prints.

use std::fs;

use bellwether_tests::contracts::schema::{kept, printed, read};

#[test]
fn the_kept_contracts_are_current() {
    let printed = printed();
    assert!(printed.len() > 10, "there are only {:?}", printed.keys());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        for (name, text) in &printed {
            fs::write(kept().join(name), text).expect("it can be written");
        }
    }
    let kept = read(&kept());
    let names = |documents: &std::collections::BTreeMap<String, String>| documents.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&printed), names(&kept));
    for (name, text) in &printed {
        assert!(
            kept[name] == *text,
            "UPDATE_GOLDEN=1 rewrites deploy/contracts/{name}; a change that takes something away is none to make"
        );
    }
}
