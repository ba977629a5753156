set -euo pipefail

cargo clippy --quiet --locked --all-features --all-targets -- -D warnings
cargo clippy --quiet --locked --no-default-features -- -D warnings
cargo clippy --quiet --locked --manifest-path fuzz/Cargo.toml -- -D warnings
