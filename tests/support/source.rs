//! The crate's public types, by its source.

use std::fs;
use std::path::Path;

/// All of the crate's source.
pub(crate) fn all() -> String {
    let mut text = String::new();
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut text,
    );
    text
}

fn read(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// The names of the public structs, enums and unions in a source text.
pub(crate) fn public_types(source: &str) -> Vec<&str> {
    source.lines().filter_map(public_type).collect()
}

fn public_type(line: &str) -> Option<&str> {
    let declared = line.trim_start().strip_prefix("pub ")?;
    let name = ["struct ", "enum ", "union "]
        .into_iter()
        .find_map(|kind| declared.strip_prefix(kind))?;
    let end = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    Some(&name[..end.unwrap_or(name.len())])
}
