# No broken link and no item without documentation.
set -euo pipefail

RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --locked --workspace --no-deps --all-features
