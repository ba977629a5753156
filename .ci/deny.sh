# Where dependencies come from, under which licences, and each in one version: see deny.toml, and the
# server's own.
set -euo pipefail
source .ci/helpers.bash
cargo_tool cargo-deny 0.20.2

cargo deny --locked check bans sources licenses
cargo deny --locked --manifest-path examples/server/Cargo.toml --config examples/server/deny.toml \
    check bans sources licenses
