//! Puts the board's memory map where the linker script looks for it.

use std::path::PathBuf;
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let board = format!("boards/{}.x", env::var("CARGO_CFG_TARGET_ARCH")?);
    let directory = PathBuf::from(env::var("OUT_DIR")?);
    fs::copy(&board, directory.join("memory.x"))?;
    println!("cargo:rustc-link-search={}", directory.display());
    println!("cargo:rerun-if-changed={board}");
    Ok(())
}
