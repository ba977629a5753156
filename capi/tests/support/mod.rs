//! Programs that tests build and run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The directory that cargo built the C library in, for the tests of this run.
pub(crate) fn library_directory() -> PathBuf {
    let directory = env::current_exe().unwrap().parent().unwrap().to_owned();
    assert!(directory.join("libkeyfob_capi.a").exists());
    directory
}

/// The crate's own directory.
pub(crate) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A program that a C or C++ compiler is to build.
#[allow(dead_code)] // not every test compiles
pub(crate) struct Program {
    directory: TempDir,
    compile: Command,
}

#[allow(dead_code)]
impl Program {
    /// A program of these sources, with warnings as errors.
    pub(crate) fn new(compiler: &str, standard: &str, sources: &[PathBuf]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut compile = Command::new(compiler);
        compile
            .args([standard, "-Wall", "-Wextra", "-Werror", "-pedantic", "-g"])
            .arg("-I")
            .arg(source("include"))
            .args(sources)
            .arg("-o")
            .arg(directory.path().join("program"));
        Self { directory, compile }
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.compile.args(arguments);
        self
    }

    /// Links the static library in.
    pub(crate) fn build(mut self) -> Built {
        let library = library_directory().join("libkeyfob_capi.a");
        self.compile.arg(library).args(["-lpthread", "-ldl", "-lm"]);
        succeed(&mut self.compile);
        Built(self.directory)
    }
}

/// A program, deleted on drop.
#[allow(dead_code)]
pub(crate) struct Built(TempDir);

#[allow(dead_code)]
impl Built {
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("program")
    }
}

pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output();
    output.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}
