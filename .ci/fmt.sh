set -euo pipefail

cargo fmt --all --check
cargo fmt --check --manifest-path fuzz/Cargo.toml
