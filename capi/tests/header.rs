//! The header says what the library does: it is generated from it, and a stale one fails.

use std::path::Path;
use std::{env, fs};

#[test]
fn the_header_is_what_the_library_says() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(directory.join("cbindgen.toml")).unwrap();
    let mut generated = Vec::new();
    cbindgen::generate_with_config(directory, config)
        .unwrap()
        .write(&mut generated);
    let generated = readable_in_c(&String::from_utf8(generated).unwrap());

    let header = directory.join("include/keyfob.h");
    if env::var_os("KEYFOB_BLESS").is_some() {
        fs::write(&header, &generated).unwrap();
    }
    assert!(
        fs::read_to_string(header).unwrap() == generated,
        "include/keyfob.h is stale: run with KEYFOB_BLESS=1"
    );
}

/// The comments as C has them: duties without Rust's heading.
fn readable_in_c(header: &str) -> String {
    header.replace(" *\n * # Safety\n", " *\n * Duties of the caller:\n")
}
