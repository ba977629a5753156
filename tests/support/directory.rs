//! A directory of a test's own.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

/// A new, empty directory, removed with all that is in it when it is dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        Self::within(&env::temp_dir())
    }

    /// The same below `parent`. What a killed process of the same number left behind isn't used.
    pub(crate) fn within(parent: &Path) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("keyfob-{}-{number}", process::id()));
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                result => return result.map(|()| Self(path)).unwrap(),
            }
        }
    }

    #[allow(dead_code)] // most tests name a file in it
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where a file of that name would be.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
