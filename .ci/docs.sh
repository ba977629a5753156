# No broken link and no item without documentation.
set -euo pipefail

RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --locked --no-deps --all-features
