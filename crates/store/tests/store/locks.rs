//! A store is open once: a second opening says so, in this process and in another.

use bellwether_store::StoreError;

use crate::crash::Child;
use crate::{new_store, open};

#[test]
fn a_second_opening_in_the_same_process_is_locked() {
    let (directory, store) = new_store();
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }) && error.is_retriable(), "{error}");
    assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    drop(store);
    open(directory.path()).unwrap();
}

#[test]
fn a_store_that_another_process_holds_is_locked_until_that_ends() {
    let directory = tempfile::TempDir::new().unwrap();
    let mut child = Child::start(directory.path());
    child.wait_for_commits(1);
    let error = open(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }) && error.is_retriable(), "{error}");
    child.kill();
    open(directory.path()).unwrap();
}
