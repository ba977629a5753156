//! An auth server in another language: Python, through ctypes, over SQLite.

use std::process::Command;

use support::{library_directory, source, succeed};

mod support;

/// What is wrong in a race over such a store, a line each.
fn race(store: &str) -> String {
    let mut command = Command::new("python3");
    command
        .arg(source("tests/python/race.py"))
        .arg(library_directory().join("libkeyfob_capi.so"))
        .arg(store);
    String::from_utf8_lossy(&succeed(&mut command).stdout).into_owned()
}

#[test]
fn one_process_of_many_is_let_in() {
    assert_eq!(race("atomic"), "");
}

#[test]
fn a_store_that_does_not_compare_lets_several_in() {
    let report = race("naive");
    assert!(
        report.contains("4 were stored where there was none"),
        "{report}"
    );
    assert!(report.contains("4 were let in"), "{report}");
}
