//! Whose users there are: from files, and from account events.

use std::fs;
use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::pseudonym::{Pseudonymiser, token_text};
use bellwether_codec::source::{CustomerDirectory, DirectoryCounts, SourceDecoder, SourceFormat};

use crate::{check, mapped, outcome, record};

const LOGINS: &str = "{ type: { constant: login }, subject: { at: /email, trim: true, lowercase: true, as: customer_of_user }, data: { user: { at: /email, trim: true, lowercase: true } } }";

/// What a file brings: the counts, or the mistakes without the path.
fn load(name: &str, content: &str, max_users: usize) -> Result<DirectoryCounts, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, content).unwrap();
    let users = CustomerDirectory::new(max_users, false);
    let loaded = users.load(&path, &Pseudonymiser::default());
    let folder = format!("{}/", directory.path().display());
    loaded.map(|_| users.counts()).map_err(|error| error.to_string().replace(&folder, ""))
}

#[test]
fn files_in_both_kinds() {
    let two = Ok(DirectoryCounts { users: 2, ..DirectoryCounts::default() });
    assert_eq!(load("users.csv", "user,customer\na@x.org,c-1\n \"b@x.org\" , c-2\n", 2), two);
    assert_eq!(load("users.csv", "name,customer,user\nA,c-1,a@x.org\nB,c-2,b@x.org\n", 2), two);
    let lines = "{\"user\":\"a@x.org\",\"customer\":\"c-1\"}\n\n{\"customer\":\"c-2\",\"user\":\"b@x.org\",\"since\":2020}\n";
    assert_eq!(load("users.jsonl", lines, 2), two);
}

#[test]
fn mistakes_in_files_are_told_with_their_lines() {
    for (name, content, expected) in [
        (
            "users.csv",
            "user,customer\na,c-1\na,c-2\n,c-3\nb\n",
            "users.csv:3: the user of line 2 again\nusers.csv:4: `user` is empty\nusers.csv:5: 1 columns, and the first line has 2",
        ),
        ("users.csv", "user,account\na,c-1\n", "users.csv:2: missing field `customer`"),
        ("users.csv", "user,customer\na,c-1\nb,c-1\nc,c-1\n", "users.csv:4: more than 2 users: see `max_users`"),
        (
            "users.jsonl",
            "{\"user\":\"a\"}\nx\n",
            "users.jsonl:1: missing field `customer` at line 1 column 12\nusers.jsonl:2: expected value at line 1 column 1",
        ),
        ("users.txt", "", "users.txt: the name must end with .csv, .jsonl or .json"),
    ] {
        assert_eq!(load(name, content, 2).unwrap_err(), expected);
    }
    let long = load("users.csv", &format!("user,customer\n{},c-1\n", "x".repeat(257)), 2);
    assert_eq!(long.unwrap_err(), "users.csv:2: `user` has 257 bytes, more than 256");
    let many: String = (0..30).map(|_| "x\n").collect();
    assert_eq!(load("users.jsonl", &many, 2).unwrap_err().lines().count(), 20);
}

#[test]
fn customers_are_looked_up_and_learned() {
    let directory = Arc::new(CustomerDirectory::new(2, true));
    directory.insert(Pseudonymiser::default().token("ann@x.org"), "c-1");
    let logins = mapped(LOGINS).directory(Arc::clone(&directory));
    let accounts = SourceDecoder::new(SourceFormat::Auto, Decoder::default()).directory(Arc::clone(&directory));
    let told = |user: &str, customer: &str| {
        let value = format!(r#"{{"type":"user.activated","subject":"{customer}","data":{{"user":"{user}"}}}}"#);
        assert!(outcome(&accounts, &record(&value)).starts_with('{'));
    };
    let token = |user: &str| token_text(Pseudonymiser::default().token(user));
    let login = |customer: &str, user: &str| {
        let user = token(user);
        format!(
            r#"{{"specversion":"1.0","id":"logins-3-41","source":"logins","type":"login","subject":"{customer}","time":"2026-03-01T08:15:00.25Z","data":{{"user":"{user}"}}}}"#
        )
    };
    let unknown =
        |user: &str| format!("unknown_customer: subject: nobody has told which customer the user {} belongs to (from /email)", token(user));
    check(&logins, r#"{"email":" Ann@X.org "}"#, &login("c-1", "ann@x.org"));
    check(&logins, r#"{"email":"bob@x.org"}"#, &unknown("bob@x.org"));
    told("bob@x.org", "c-2");
    check(&logins, r#"{"email":"bob@x.org"}"#, &login("c-2", "bob@x.org"));
    told("bob@x.org", "c-3");
    check(&logins, r#"{"email":"bob@x.org"}"#, &login("c-3", "bob@x.org"));
    told("cat@x.org", "c-3");
    check(&logins, r#"{"email":"cat@x.org"}"#, &unknown("cat@x.org"));
    check(&logins, "{}", "missing_field: subject is missing (from /email)");
    check(&logins, r#"{"email":["x"]}"#, "wrong_type: subject: expected a text, a number, true or false, found an array (from /email)");
    assert_eq!(directory.counts(), DirectoryCounts { users: 2, learned: 2, refused: 1, found: 3, unknown: 2 });
}

#[test]
fn a_directory_that_does_not_learn_stays_as_it_is() {
    let directory = Arc::new(CustomerDirectory::new(2, false));
    let accounts = SourceDecoder::new(SourceFormat::Auto, Decoder::default()).directory(Arc::clone(&directory));
    let value = r#"{"type":"user.invited","subject":"c-1","data":{"user":"u7"}}"#;
    assert!(outcome(&accounts, &record(value)).starts_with('{'));
    assert_eq!(directory.counts(), DirectoryCounts::default());
}
