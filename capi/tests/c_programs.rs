//! C and C++ programs over the library, watched by sanitizers and by valgrind.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use support::{Program, run, source, succeed};

mod support;

const SANITIZERS: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn checks() -> Vec<PathBuf> {
    let files = fs::read_dir(source("tests/c")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|it| it == "c"))
        .collect()
}

fn control() -> Vec<PathBuf> {
    vec![source("tests/control/overread.c")]
}

/// valgrind, unless it isn't there and isn't required.
fn valgrind() -> Option<Command> {
    let found = Command::new("valgrind").arg("--version").output().is_ok();
    if !found && env::var_os("KEYFOB_REQUIRE_VALGRIND").is_none() {
        eprintln!("skipped: valgrind isn't installed");
        return None;
    }
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--error-exitcode=99"]);
    Some(command)
}

#[test]
fn checks_pass_under_sanitizers() {
    let program = Program::new("gcc", "-std=c99", &checks()).arguments(SANITIZERS);
    let program = program.build();
    succeed(&mut Command::new(program.path()));
}

#[test]
fn sanitizers_see_what_is_read_too_far() {
    let program = Program::new("gcc", "-std=c99", &control()).arguments(SANITIZERS);
    let program = program.build();
    let output = run(&mut Command::new(program.path()));
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(report.contains("heap-buffer-overflow"), "{report}");
}

#[test]
fn the_header_is_cpp_too() {
    let program = Program::new("g++", "-std=c++11", &[source("tests/cpp/header.cpp")]);
    let program = program.build();
    succeed(&mut Command::new(program.path()));
}

#[test]
fn checks_pass_under_valgrind() {
    let Some(mut valgrind) = valgrind() else {
        return;
    };
    let fewer_records = &["-DRECORDS=500"];
    let program = Program::new("gcc", "-std=c11", &checks())
        .arguments(fewer_records)
        .build();
    succeed(valgrind.arg(program.path()));
}

#[test]
fn valgrind_sees_what_is_read_too_far() {
    let Some(mut valgrind) = valgrind() else {
        return;
    };
    let program = Program::new("gcc", "-std=c11", &control()).build();
    let output = run(valgrind.arg(program.path()));
    assert_eq!(output.status.code(), Some(99));
}
