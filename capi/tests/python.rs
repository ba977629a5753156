//! An auth server in another language: Python, through ctypes, over SQLite.

use std::process::Command;

use support::{library_directory, run, source, succeed};

mod support;

fn race(store: &str) -> Command {
    let mut command = Command::new("python3");
    command
        .arg(source("tests/python/race.py"))
        .arg(library_directory().join("libkeyfob_capi.so"))
        .arg(store);
    command
}

#[test]
fn one_process_of_many_is_let_in() {
    succeed(&mut race("atomic"));
}

#[test]
fn a_store_that_does_not_compare_lets_several_in() {
    let output = run(&mut race("naive"));
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(report.contains("4 were let in"), "{report}");
}
