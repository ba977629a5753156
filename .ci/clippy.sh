set -euo pipefail

cargo clippy --quiet --locked --workspace --all-features --all-targets -- -D warnings
cargo clippy --quiet --locked --no-default-features -- -D warnings
cargo clippy --quiet --locked --package keyfob-capi --no-default-features -- -D warnings
cargo clippy --quiet --locked --manifest-path fuzz/Cargo.toml -- -D warnings
