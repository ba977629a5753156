//! Puts the board's memory map where the linker script looks for it.

use std::path::PathBuf;
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let target = env::var("TARGET")?;
    let processor = target.split('-').next().unwrap_or_default();
    let board = format!("boards/{processor}.x");
    let directory = PathBuf::from(env::var("OUT_DIR")?);
    fs::copy(&board, directory.join("memory.x"))?;
    println!("cargo:rustc-link-search={}", directory.display());
    println!("cargo:rerun-if-changed={board}");
    Ok(())
}
